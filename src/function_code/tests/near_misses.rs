//! Packages as people build them that look faulty and are not, each beside the one that is.

use super::*;

const HANDLER: &str = "\ndef lambda_handler(event, context):\n    pass\n";

/// Every fact that would be told as a fault.
fn faults(code: &FunctionCode) -> Vec<String> {
    let parts = [&code.handler_file, &code.handler_function].map(|part| match part {
        HandlerPart::Missing(name) => Some(format!("no {name}")),
        _ => None,
    });
    let missing = code.missing_modules.iter().map(|module| format!("lacks {}", module.name));
    let misfits = code.misfits.iter().map(|misfit| format!("{} is for {}", misfit.file, misfit.built_for));
    let syntax = code.syntax_errors.iter().map(|place| format!("{place} does not parse"));
    let steps = code.steps.iter().filter(|step| !matches!(step.does, StepBody::Works | StepBody::Untold));
    let steps = steps.map(|step| format!("{:?} {:?}", step.step, step.does));
    parts.into_iter().flatten().chain(missing).chain(misfits).chain(syntax).chain(steps).collect()
}

/// The faults but those of the steps, which these sources do not have.
fn of_package(code: &FunctionCode) -> Vec<String> {
    faults(code).into_iter().filter(|fault| !fault.contains("Secret ")).collect()
}

#[test]
fn the_handler_under_another_name_or_in_a_nested_layout_is_there() {
    let at =
        |handler: &str, package: &[(&str, &str)]| of_package(&read(&CodeTarget { handler: Some(handler), ..PYTHON }, package));
    let def = "def lambda_handler(event, context):\n    pass\n";
    let healthy: [(&str, &[(&str, &str)]); 10] = [
        ("app.handler", &[("app.py", "from rotation.main import lambda_handler as handler\n"), ("rotation/main.py", def)]),
        ("app.handler", &[("app.py", "import rotation\nhandler = rotation.lambda_handler\n"), ("rotation.py", def)]),
        ("app.handler", &[("app.py", "class Rotator:\n    def __call__(self, e, c):\n        pass\nhandler = Rotator()\n")]),
        ("app.handler", &[("app.py", "@tracer.capture\ndef handler(event, context):\n    pass\n")]),
        ("app.handler", &[("app.py", "try:\n    def handler(e, c):\n        pass\nfinally:\n    pass\n")]),
        ("app.handler", &[("app.py", "if True:\n    handler = lambda e, c: None\n")]),
        ("app.handler", &[("app.py", "handler: object = make()\n")]),
        ("app.handler", &[("app.py", "a = handler = make()\n")]),
        ("src/handlers/rotate.lambda_handler", &[("src/handlers/rotate.py", def)]),
        ("src.handlers.rotate.lambda_handler", &[("src/handlers/rotate.py", def)]),
    ];
    for (handler, package) in healthy {
        assert_eq!(at(handler, package), [""; 0], "{handler}: {package:?}");
    }
    type Broken<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let broken: [Broken<'_>; 3] = [
        ("app.handler", &[("app.py", "import rotation\n"), ("rotation.py", def)], "no handler"),
        ("app.handler", &[("src/app.py", "def handler(e, c):\n    pass\n")], "no app.py"),
        ("app.handler", &[("app.py", "class Rotator:\n    def handler(self, e, c):\n        pass\n")], "no handler"),
    ];
    for (handler, package, fault) in broken {
        assert!(at(handler, package).contains(&fault.to_owned()), "{handler}: {package:?}: {:?}", at(handler, package));
    }
}

#[test]
fn an_import_that_need_not_succeed_or_is_brought_by_a_layer_is_no_fault() {
    let with = |source: &str, more: &[(&str, &str)], layer: Option<&[(&str, &str)]>| {
        let source = format!("{source}{HANDLER}");
        let package: Vec<(&str, &str)> =
            [("lambda_function.py", source.as_str())].into_iter().chain(more.iter().copied()).collect();
        let layers: Vec<PackageLayer> = layer.map(|layer| PackageLayer::Read(files(layer))).into_iter().collect();
        of_package(&inspect(CodeSource::Deployed, &PYTHON, &files(&package), &layers).unwrap())
    };
    for source in [
        "try:\n    import simplejson as json\nexcept ImportError:\n    import json",
        "try:\n    import simplejson as json\nexcept (ImportError, AttributeError):\n    json = None",
        "try:\n    import ujson\nexcept ModuleNotFoundError:\n    ujson = None",
        "try:\n    import ujson\nexcept Exception:\n    ujson = None",
        "try:\n    import ujson\nexcept:\n    ujson = None",
        "import sys\nif sys.version_info < (3, 8):\n    import importlib_metadata",
        "import sys\nif sys.platform == 'win32':\n    import win32api",
        "import os\nif os.environ.get('LOCAL'):\n    import dotenv",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mypy_boto3_secretsmanager import SecretsManagerClient",
        "import typing\nif typing.TYPE_CHECKING:\n    import mypy_boto3_rds",
        "import typing as t\nif t.TYPE_CHECKING:\n    import mypy_boto3_rds",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import uvloop",
        "import contextlib\nwith contextlib.suppress(ModuleNotFoundError):\n    import uvloop",
        "import importlib\ntry:\n    m = importlib.import_module('ujson')\nexcept ImportError:\n    m = None",
        "import importlib.util\nif importlib.util.find_spec('ujson'):\n    import ujson",
        "if __name__ == '__main__':\n    import dotenv",
        "from __future__ import annotations\nimport boto3.session, botocore.exceptions, zoneinfo, tomllib",
    ] {
        assert_eq!(with(source, &[], None), [""; 0], "{source}");
    }
    let vendored: [(&str, &[(&str, &str)]); 6] = [
        ("from vendor import pg8000", &[("vendor/__init__.py", ""), ("vendor/pg8000/__init__.py", "")]),
        ("import vendor.pg8000", &[("vendor/pg8000/__init__.py", "")]),
        ("import google.cloud.storage", &[("google/cloud/storage/__init__.py", "")]),
        ("from google.cloud import storage", &[("google/cloud/storage/__init__.py", "")]),
        ("import six.moves.urllib", &[("six.py", "import sys\nclass _M: pass\nsys.modules['six.moves'] = _M()\n")]),
        (
            "import sys, os\nsys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))\nimport pg8000",
            &[("lib/pg8000.py", "")],
        ),
    ];
    for (source, more) in vendored {
        assert_eq!(with(source, more, None), [""; 0], "{source}: {more:?}");
    }
    for layer in [
        "python/pg8000/__init__.py",
        "python/pg8000.py",
        "python/lib/python3.13/site-packages/pg8000/__init__.py",
        "python/pg8000/native.py",
    ] {
        assert_eq!(with("import pg8000", &[], Some(&[(layer, "")])), [""; 0], "{layer}");
    }
    for (source, layer, fault) in [
        ("import pg8000", None, "lacks pg8000"),
        ("try:\n    import pg8000\nexcept ImportError:\n    raise", None, "lacks pg8000"),
        ("try:\n    import pg8000\nexcept ValueError:\n    pass", None, "lacks pg8000"),
        ("try:\n    pass\nexcept ImportError:\n    import pg8000", None, ""),
        ("import pg8000", Some("pg8000/__init__.py"), "lacks pg8000"),
        ("import pg8000", Some("python/lib/python3.9/site-packages/pg8000/__init__.py"), "lacks pg8000"),
    ] {
        let layer = layer.map(|path| [(path, "")]);
        let found = with(source, &[], layer.as_ref().map(<[_; 1]>::as_slice));
        let expected: Vec<&str> = Some(fault).filter(|fault| !fault.is_empty()).into_iter().collect();
        assert_eq!(found, expected, "{source} {layer:?}");
    }
}

#[test]
fn a_wheel_for_many_is_built_for_this_one_too() {
    let source = format!("import _cffi_backend{HANDLER}");
    let with = |target: &CodeTarget<'_>, files: &[(&str, &str)]| {
        let package: Vec<(&str, &str)> =
            [("lambda_function.py", source.as_str())].into_iter().chain(files.iter().copied()).collect();
        of_package(&read(target, &package))
    };
    let arm = CodeTarget { architecture: "arm64", ..PYTHON };
    for (target, file, content) in [
        (&PYTHON, "_cffi_backend.abi3.so", "elf:x86_64"),
        (&PYTHON, "_cffi_backend.cpython-313-x86_64-linux-gnu.so", "elf:x86_64"),
        (&PYTHON, "_cffi_backend.so", "elf:x86_64"),
        (&PYTHON, "_cffi_backend/__init__.py", "import os\n"),
        (&arm, "_cffi_backend.abi3.so", "elf:arm64"),
        (&arm, "_cffi_backend.cpython-313-aarch64-linux-gnu.so", "elf:arm64"),
    ] {
        assert_eq!(with(target, &[(file, content)]), [""; 0], "{file}");
    }
    // A package may bring the same module for several, and libraries that are no modules.
    assert_eq!(
        with(
            &PYTHON,
            &[
                ("_cffi_backend.cpython-312-x86_64-linux-gnu.so", "elf:x86_64"),
                ("_cffi_backend.cpython-313-x86_64-linux-gnu.so", "elf:x86_64"),
                ("cffi.libs/libffi-1a2b.so.8.1.0", "elf:x86_64"),
            ]
        ),
        [""; 0]
    );
    for (target, file, content, built_for) in [
        (&PYTHON, "_cffi_backend.abi3.so", "elf:arm64", "arm64"),
        (&arm, "_cffi_backend.abi3.so", "elf:x86_64", "x86_64"),
        (&PYTHON, "_cffi_backend.cpython-312-x86_64-linux-gnu.so", "elf:x86_64", "python3.12"),
        (&PYTHON, "_cffi_backend.cpython-313-darwin.so", "", "macOS"),
    ] {
        let found = with(target, &[(file, content)]);
        assert!(found.contains(&format!("{file} is for {built_for}")), "{file}: {found:?}");
    }
}

#[test]
fn a_variable_with_a_default_in_any_form_is_not_required() {
    let required = |body: &str| python(&format!("import os\n{body}{HANDLER}")).required_environment;
    for body in [
        "T = os.environ.get('T', 'x')",
        "T = os.getenv('T') or 'x'",
        "T = os.environ['T'] if 'T' in os.environ else 'x'",
        "T = 'x' if 'T' not in os.environ else os.environ['T']",
        "T = 'T' in os.environ and os.environ['T']",
        "os.environ.setdefault('T', 'x')\nT = os.environ['T']",
        "if os.environ.get('T'):\n    T = os.environ['T']",
        "if os.getenv('T') is not None:\n    T = os.environ['T']",
        "try:\n    T = os.environ['T']\nexcept Exception:\n    T = 'x'",
        "from contextlib import suppress\nwith suppress(KeyError):\n    T = os.environ['T']",
        "T = dict(os.environ).get('T')",
        "for name in ('T',):\n    T = os.environ.get(name)",
        "if __name__ == '__main__':\n    T = os.environ['T']",
        "def get():\n    return os.environ['T']",
    ] {
        assert_eq!(required(body), [""; 0], "{body}");
    }
    for body in ["T = os.environ['T']", "from os import environ\nT = environ['T']", "T = int(os.environ['T'])"] {
        assert_eq!(required(body), ["T"], "{body}");
    }
}

#[test]
fn a_connect_timeout_is_told_only_where_it_is_written_in_the_code() {
    let timeout = |body: &str| python(&format!("import os\n{body}{HANDLER}")).connect_timeout_ms;
    for body in [
        "conn = connect(connect_timeout=int(os.environ.get('CONNECT_TIMEOUT', 5)))",
        "T = int(os.environ['T'])\nconn = connect(connect_timeout=T)",
        "def f(connect_timeout):\n    pass",
        "conn = connect(read_timeout=90)",
        "# connect_timeout=90",
        "'''connect_timeout=90'''",
        "connect(connect_timeout=None)",
    ] {
        assert_eq!(timeout(body), None, "{body}");
    }
    assert_eq!(timeout("conn = connect(connect_timeout=30)"), Some(30_000));
}

#[test]
fn a_template_that_was_edited_harmlessly_has_no_faults() {
    let edited = [
        WORKING.replace("logger = logging.getLogger()", "logger = logging.getLogger(__name__)\nlogger.setLevel(logging.INFO)"),
        WORKING.replace(
            "def create_secret(client, event):\n",
            "def create_secret(client: object, event: dict) -> None:\n    \"\"\"Makes it.\"\"\"\n",
        ),
        WORKING.replace(
            "    connect(event, connect_timeout=5)\n\n\ndef finish_secret",
            "    with connect(event, connect_timeout=5) as conn:\n        conn.ping()\n\n\ndef finish_secret",
        ),
        WORKING.replace("if step == 'createSecret':", "if 'createSecret' == step:"),
        WORKING.replace("    if step == 'createSecret':", "    logger.info('step %s', step)\n    if step == 'createSecret':"),
        WORKING.replace("import boto3\n", "import boto3  # type: ignore\n\nfrom botocore.config import Config\n"),
        WORKING.replace(
            "    connect(event, connect_timeout=5)\n\n\ndef test_secret",
            "    if not already_set(event):\n        connect(event, connect_timeout=5)\n\n\ndef test_secret",
        ),
        WORKING.replace('\t', "    ").replace("\n", "\r\n"),
        "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n".to_owned() + WORKING,
        format!("\u{feff}{WORKING}"),
    ];
    for source in &edited {
        assert_eq!(faults(&python(source)), [""; 0], "{source}");
    }
    let broken = WORKING.replace("    connect(event, connect_timeout=5)\n\n\ndef test_secret", "    return\n\n\ndef test_secret");
    assert_eq!(faults(&python(&broken)), ["SetSecret OnlyPasses"]);
}
