use super::*;
use crate::model::{HandlerPart, MissingReason, StepBody, TemplateDefect};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use std::collections::BTreeMap;
use std::io::Write as _;

const PYTHON: CodeTarget<'static> =
    CodeTarget { runtime: Some("python3.13"), handler: Some("lambda_function.lambda_handler"), architecture: "x86_64" };
const NODE: CodeTarget<'static> =
    CodeTarget { runtime: Some("nodejs22.x"), handler: Some("index.handler"), architecture: "x86_64" };

/// A rotation function that does its work.
const WORKING: &str = "\
import json
import logging
import os
import boto3

logger = logging.getLogger()


def lambda_handler(event, context):
    client = boto3.client('secretsmanager', endpoint_url=os.environ['SECRETS_MANAGER_ENDPOINT'])
    step = event['Step']
    if step == 'createSecret':
        create_secret(client, event)
    elif step == \"setSecret\":
        set_secret(client, event)
    elif step == 'testSecret':
        test_secret(client, event)
    elif step == 'finishSecret':
        finish_secret(client, event)
    else:
        raise ValueError('Invalid step')


def create_secret(client, event):
    exclude = os.environ['EXCLUDE_CHARACTERS'] if 'EXCLUDE_CHARACTERS' in os.environ else ''
    client.put_secret_value(SecretId=event['SecretId'], SecretString=exclude)


def set_secret(client, event):
    connect(event, connect_timeout=5)


def test_secret(client, event):
    connect(event, connect_timeout=5)


def finish_secret(client, event):
    client.update_secret_version_stage(SecretId=event['SecretId'])
";

/// A zip archive; a file that is written as `elf:arm64` is the beginning of a compiled one.
fn pack(files: &BTreeMap<String, String>) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut packed);
    for (path, text) in files {
        let content = match text.strip_prefix("elf:") {
            Some(machine) => {
                let mut head = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
                head.resize(18, 0);
                head.extend([if machine == "arm64" { 183 } else { 62 }, 0]);
                head
            }
            None => text.clone().into_bytes(),
        };
        let (mut entry, config) = archive.new_file(path).compression_method(CompressionMethod::DEFLATE).start().unwrap();
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(&content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    packed
}

fn files(files: &[(&str, &str)]) -> Vec<u8> {
    pack(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<BTreeMap<_, _>>())
}

fn read(target: &CodeTarget<'_>, package: &[(&str, &str)]) -> FunctionCode {
    inspect(CodeSource::Deployed, target, &files(package), &[]).unwrap()
}

fn python(source: &str) -> FunctionCode {
    read(&PYTHON, &[("lambda_function.py", source)])
}

fn bodies(code: &FunctionCode) -> Vec<StepBody> {
    code.steps.iter().map(|step| step.does).collect()
}

fn missing(code: &FunctionCode) -> Vec<(&str, bool, Option<MissingReason>)> {
    code.missing_modules.iter().map(|module| (module.name.as_str(), module.at_load, module.because)).collect()
}

#[test]
fn a_function_that_works_has_no_fault() {
    let code = python(WORKING);
    assert_eq!(code.handler_file, HandlerPart::Found("lambda_function.py".to_owned()));
    assert_eq!(code.handler_function, HandlerPart::Found("lambda_handler".to_owned()));
    assert_eq!(bodies(&code), [StepBody::Works; 4]);
    assert_eq!(code.required_environment, ["SECRETS_MANAGER_ENDPOINT"]);
    assert_eq!(code.connect_timeout_ms, Some(5_000));
    assert_eq!(missing(&code), []);
    assert_eq!(code.syntax_errors.len() + code.misfits.len() + code.unread.len(), 0, "{code:?}");
}

#[test]
fn the_handler_is_sought_where_the_configuration_says() {
    for (handler, package, file, function) in [
        (
            "lambda_function.lambda_handler",
            "app.py",
            HandlerPart::Missing("lambda_function.py".into()),
            HandlerPart::Missing("lambda_handler".into()),
        ),
        ("app.other", "app.py", HandlerPart::Found("app.py".into()), HandlerPart::Missing("other".into())),
        (
            "src/app.lambda_handler",
            "src/app.py",
            HandlerPart::Found("src/app.py".into()),
            HandlerPart::Found("lambda_handler".into()),
        ),
        (
            "src.app.lambda_handler",
            "src/app/__init__.py",
            HandlerPart::Found("src/app/__init__.py".into()),
            HandlerPart::Found("lambda_handler".into()),
        ),
    ] {
        let code = read(&CodeTarget { handler: Some(handler), ..PYTHON }, &[(package, WORKING)]);
        assert_eq!((code.handler_file, code.handler_function), (file, function), "{handler} {package}");
    }
    let starred = python("from app import *\n");
    assert_eq!(starred.handler_function, HandlerPart::Untold);
    let assigned = python("def f(event, context):\n    return 1\nlambda_handler = wrap(f)\n");
    assert_eq!(assigned.handler_function, HandlerPart::Found("lambda_handler".to_owned()));
}

#[test]
fn a_step_that_only_raises_passes_or_is_left_out_is_told() {
    let only = |body: &str| {
        WORKING.replace("    connect(event, connect_timeout=5)\n\n\ndef test_secret", &format!("{body}\n\n\ndef test_secret"))
    };
    for (body, expected) in [
        ("    '''Sets it.'''\n    # Here it should be set.\n    raise NotImplementedError", StepBody::OnlyRaises),
        ("    logger.info('nothing to do')\n    raise NotImplementedError('set')", StepBody::OnlyRaises),
        ("    pass", StepBody::OnlyPasses),
        ("    \"\"\"Nothing.\"\"\"\n    logger.info('no')\n    return None", StepBody::OnlyPasses),
        ("    ...", StepBody::OnlyPasses),
        ("    if event:\n        raise ValueError()", StepBody::Works),
        ("    really_set(event)\n\ndef really_set(event):\n    raise NotImplementedError", StepBody::OnlyRaises),
    ] {
        assert_eq!(bodies(&python(&only(body)))[1], expected, "{body}");
    }
    let branch = WORKING.replace("        finish_secret(client, event)\n", "        pass\n");
    assert_eq!(bodies(&python(&branch))[3], StepBody::OnlyPasses);
    let without = WORKING.replace("    elif step == 'finishSecret':\n        finish_secret(client, event)\n", "");
    assert_eq!(bodies(&python(&without))[3], StepBody::Absent);
    let matched = "def lambda_handler(event, context):\n    match event['Step']:\n        case 'createSecret':\n            f()\n        case 'setSecret':\n            raise NotImplementedError\n        case 'testSecret' | 'finishSecret':\n            f()\n";
    assert_eq!(bodies(&python(matched))[..2], [StepBody::Works, StepBody::OnlyRaises]);
    let table = "def no():\n    raise NotImplementedError\ndef yes():\n    a()\n    b()\nSTEPS = {'createSecret': yes, 'setSecret': no, 'testSecret': yes, 'finishSecret': yes}\ndef lambda_handler(event, context):\n    STEPS[event['Step']]()\n";
    assert_eq!(bodies(&python(table)), [StepBody::Works, StepBody::OnlyRaises, StepBody::Works, StepBody::Works]);
    let by_name = "def lambda_handler(event, context):\n    getattr(Rotator(), event['Step'])()\n";
    assert_eq!(bodies(&python(by_name)), [StepBody::Untold; 4]);
}

#[test]
fn a_module_is_missing_only_where_its_import_is_sure_to_fail() {
    let handler = "\ndef lambda_handler(event, context):\n    pass\n";
    for (source, expected) in [
        ("import requests", vec![("requests", true, None)]),
        ("from psycopg2.extras import Json", vec![("psycopg2", true, None)]),
        ("import distutils.util", vec![("distutils", true, Some(MissingReason::LeftTheLibrary))]),
        (
            "from botocore.vendored import requests",
            vec![("botocore.vendored.requests", true, Some(MissingReason::LeftTheRuntime))],
        ),
        ("try:\n    import simplejson2 as json\nexcept ImportError:\n    import json", vec![]),
        ("if TYPE_CHECKING:\n    import mypy_boto3_secretsmanager", vec![]),
        ("with suppress(ImportError):\n    import ujson", vec![]),
        ("import boto3, os, json, urllib3, concurrent.futures, xml.etree.ElementTree as ET", vec![]),
        ("def f():\n    import requests", vec![("requests", false, None)]),
        ("class A:\n    import requests", vec![("requests", true, None)]),
        ("import sys\nsys.path.insert(0, 'vendor')\nimport requests", vec![]),
    ] {
        assert_eq!(missing(&python(&format!("{source}{handler}"))), expected, "{source}");
    }
}

#[test]
fn imports_are_followed_through_the_package_and_its_layers() {
    let package = files(&[
        (
            "lambda_function.py",
            "import pg\nfrom app import rotation\nimport shared.db\ndef lambda_handler(event, context):\n    pass\n",
        ),
        ("pg.py", "from _pg import *\n"),
        ("app/__init__.py", ""),
        ("app/rotation.py", "from . import helper\nfrom .helper import x\nfrom .gone import y\n"),
        ("app/helper.py", "import nowhere\n"),
    ]);
    let layer =
        files(&[("python/shared/db.py", "import deeper\n"), ("python/lib/python3.13/site-packages/deeper/__init__.py", "")]);
    let code = inspect(CodeSource::Deployed, &PYTHON, &package, &[PackageLayer::Read(layer)]).unwrap();
    assert_eq!(missing(&code), [("_pg", true, None), ("app.gone", true, None), ("nowhere", true, None)]);
    assert_eq!(code.missing_modules[0].place.to_string(), "pg.py, line 1");
    // A layer that cannot be read may have what is missing.
    let unread =
        inspect(CodeSource::Deployed, &PYTHON, &package, &[PackageLayer::Unread("permission lambda:GetLayerVersion".into())])
            .unwrap();
    assert_eq!(missing(&unread), []);
    assert_eq!(unread.unread, ["layer 1: permission lambda:GetLayerVersion"]);
}

#[test]
fn a_compiled_module_has_to_fit_the_interpreter_and_the_processor() {
    let source = "import _pg\ndef lambda_handler(event, context):\n    pass\n";
    for (architecture, path, content, built_for) in [
        ("x86_64", "_pg.so", "elf:x86_64", None),
        ("x86_64", "_pg.cpython-313-x86_64-linux-gnu.so", "elf:x86_64", None),
        ("x86_64", "_pg.abi3.so", "elf:x86_64", None),
        ("x86_64", "_pg.cpython-39-x86_64-linux-gnu.so", "elf:x86_64", Some("python3.9")),
        ("x86_64", "_pg.cpython-313-darwin.so", "elf:x86_64", Some("macOS")),
        ("x86_64", "_pg.cp313-win_amd64.pyd", "MZ", Some("Windows")),
        ("x86_64", "_pg.so", "elf:arm64", Some("arm64")),
        ("arm64", "_pg.cpython-313-x86_64-linux-gnu.so", "elf:x86_64", Some("x86_64")),
        ("arm64", "_pg/__init__.cpython-313-aarch64-linux-gnu.so", "elf:arm64", None),
    ] {
        let code = read(&CodeTarget { architecture, ..PYTHON }, &[("lambda_function.py", source), (path, content)]);
        let told: Vec<(&str, bool)> = code.misfits.iter().map(|misfit| (misfit.built_for.as_str(), misfit.is_loaded)).collect();
        assert_eq!(told, built_for.map(|built| (built, true)).into_iter().collect::<Vec<_>>(), "{path} on {architecture}");
        let reason = built_for.map(|_| ("_pg", true, Some(MissingReason::BuiltForAnother)));
        assert_eq!(missing(&code), reason.into_iter().collect::<Vec<_>>(), "{path}");
    }
    let both = [
        ("lambda_function.py", source),
        ("_pg.cpython-39-x86_64-linux-gnu.so", "elf:x86_64"),
        ("_pg.cpython-313-x86_64-linux-gnu.so", "elf:x86_64"),
    ];
    assert_eq!(read(&PYTHON, &both).misfits, []);
}

#[test]
fn what_does_not_parse_is_told_with_its_line_and_python_2_does_not() {
    for (source, line) in [
        ("def lambda_handler(event, context):\n    return (1\n", Some(2)),
        ("import os\nprint \"hello\"\n", Some(2)),
        ("def lambda_handler(event, context):\n    print('hello')\n", None),
    ] {
        let code = python(source);
        assert_eq!(code.syntax_errors.first().map(|place| place.line), line, "{source}");
    }
}

#[test]
fn a_variable_is_required_only_where_nothing_asks_for_it_first() {
    let code =
        |body: &str| python(&format!("import os\n{body}\ndef lambda_handler(event, context):\n    pass\n")).required_environment;
    assert_eq!(code("TABLE = os.environ['TABLE']"), ["TABLE"]);
    for body in [
        "TABLE = os.environ.get('TABLE')",
        "TABLE = os.getenv('TABLE')",
        "os.environ['TABLE'] = 'x'\nTABLE = os.environ['TABLE']",
        "if 'TABLE' in os.environ:\n    TABLE = os.environ['TABLE']",
        "try:\n    TABLE = os.environ['TABLE']\nexcept KeyError:\n    TABLE = ''",
        "def unused():\n    return os.environ['TABLE']",
        "REGION = os.environ['AWS_REGION']",
    ] {
        assert_eq!(code(body), [""; 0], "{body}");
    }
}

#[test]
fn a_template_is_known_by_what_it_defines_and_a_mended_one_by_what_it_calls() {
    let template = |imports: &str, set_secret: &str, more: &str| {
        python(&format!(
            "import boto3\n{imports}\ndef lambda_handler(event, context):\n    pass\ndef create_secret(c, a, t):\n    c.x()\n    c.y()\n\
             def set_secret(c, a, t):\n{set_secret}\ndef test_secret(c, a, t):\n    c.x()\n    c.y()\ndef finish_secret(c, a, t):\n    c.x()\n{more}"
        ))
        .template
        .unwrap()
    };
    let alternating = "def get_alt_username(name):\n    return name + '_clone'\n";
    let old = template("import oracledb", "    sql = row[0].read().strip()\n    cur.execute(sql)\n", alternating);
    assert_eq!((old.engine.as_str(), old.is_multi_user, old.defects), ("Oracle", true, vec![TemplateDefect::OracleGrantsInOne]));
    let new = template("import oracledb", "    for sql in row[0].read().split('\\n'):\n        cur.execute(sql)\n", alternating);
    assert_eq!(new.defects, []);
    let grant = "    cur.execute('GRANT %s ON DATABASE %s TO %s' % (perm, ','.join(databases), name))\n    kind = 'redshift'\n";
    let redshift = template("import pg\nimport pgdb", grant, alternating);
    assert_eq!(redshift.defects, [TemplateDefect::RedshiftGrantsInOne, TemplateDefect::RedshiftAutomatedViews]);
    let aged = template("import pymysql", "    cur.x()\n    cur.y()\n", "def get_ssl_config(d):\n    pass\n");
    assert_eq!(
        (aged.engine.as_str(), aged.not_before.as_deref(), aged.before.as_deref()),
        ("MySQL", Some("2021-12"), Some("2024-03"))
    );
    assert!(python("def lambda_handler(event, context):\n    pass\n").template.is_none());
}

#[test]
fn node_functions_are_read_too() {
    let working = "\
const { SecretsManagerClient } = require('@aws-sdk/client-secrets-manager');
const fs = require('node:fs');
exports.handler = async (event) => {
  switch (event.Step) {
    case 'createSecret': await createSecret(event); break;
    case 'setSecret': await setSecret(event); break;
    case 'testSecret': await testSecret(event); break;
    case 'finishSecret': await finishSecret(event); break;
    default: throw new Error('Invalid step');
  }
};
async function createSecret(event) { await one(event); await two(event); }
async function setSecret(event) { throw new Error('not implemented'); }
const testSecret = async (event) => { /* nothing to test */ };
async function finishSecret(event) { await one(event); await two(event); }
const pool = { connectionTimeoutMillis: 10_000 };
";
    let code = read(&NODE, &[("index.js", working)]);
    assert_eq!(code.handler_function, HandlerPart::Found("handler".to_owned()));
    assert_eq!(bodies(&code), [StepBody::Works, StepBody::OnlyRaises, StepBody::OnlyPasses, StepBody::Works]);
    assert_eq!((missing(&code), code.connect_timeout_ms), (vec![], Some(10_000)));

    let code = read(
        &NODE,
        &[
            (
                "index.mjs",
                "import AWS from 'aws-sdk';\nimport pg from 'pg';\nimport { run } from './lib/run.mjs';\nimport x from './gone.mjs';\nexport const handler = run;\n",
            ),
            ("lib/run.mjs", "import mysql from 'mysql2/promise';\nexport async function run(event) { return mysql; }\n"),
            ("node_modules/mysql2/package.json", "{}"),
        ],
    );
    assert_eq!(
        missing(&code),
        [("./gone.mjs", true, None), ("aws-sdk", true, Some(MissingReason::LeftTheRuntime)), ("pg", true, None)]
    );
    for (source, function) in [
        ("module.exports = { handler };", HandlerPart::Found("handler".into())),
        ("module.exports = require('./x');", HandlerPart::Untold),
        ("export { f as handler };", HandlerPart::Found("handler".into())),
        ("exports.main = 1;", HandlerPart::Missing("handler".into())),
    ] {
        assert_eq!(read(&NODE, &[("index.js", source)]).handler_function, function, "{source}");
    }
    let wrong = [("index.js", "exports.handler = 1;"), ("node_modules/oracledb/build/Release/oracledb.node", "elf:arm64")];
    assert_eq!(read(&NODE, &wrong).misfits[0].built_for, "arm64");
    let both = [wrong[0], wrong[1], ("node_modules/oracledb/build/Release/x64.node", "elf:x86_64")];
    assert_eq!(read(&NODE, &both).misfits, []);
}

#[test]
fn nothing_of_a_files_text_is_kept() {
    let canary = "Sw0rdf1sh-canary";
    let source = WORKING
        .replace("'Invalid step'", &format!("'{canary}'"))
        .replace("import json", &format!("import json\nPASSWORD = '{canary}'\nx = os.environ['{canary} {canary}']\n# {canary}"));
    assert!(!format!("{:?}", python(&source)).contains("canary"));
}

mod near_misses;

mod hostile {
    use super::*;

    fn refused(package: &[u8]) -> PackageRefused {
        inspect(CodeSource::Deployed, &PYTHON, package, &[]).unwrap_err()
    }

    fn verbatim(path: &str) -> Vec<u8> {
        holding(path, b"x = 1\n")
    }

    fn holding(path: &str, content: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut packed);
        let (mut entry, config) = archive.new_file(rawzip::path::EntryPath::verbatim(path.as_bytes())).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(content).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
        archive.finish().unwrap();
        packed
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for bytes in [&b""[..], b"PK", b"PK\x05\x06", &[0_u8; 4_096]] {
            assert_eq!(refused(bytes), PackageRefused::NotAZip);
        }
        let mut broken = files(&[("lambda_function.py", WORKING)]);
        broken.truncate(broken.len() - 30);
        assert_eq!(refused(&broken), PackageRefused::NotAZip);
        assert_eq!(refused(&vec![0; MAX_PACKED + 1]), PackageRefused::TooLarge);
    }

    #[test]
    fn paths_out_of_the_archive_are_refused() {
        for path in ["../evil.py", "/etc/passwd", "a/../../b.py", "C:/evil.py", "a\\..\\b.py", "a\0b"] {
            assert_eq!(refused(&verbatim(path)), PackageRefused::PathOutside, "{path}");
        }
    }

    /// Changes the central directory's entry: `at` bytes behind its signature.
    fn with_directory_bytes(mut package: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
        let start = package.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
        package[start + at..start + at + bytes.len()].copy_from_slice(bytes);
        package
    }

    #[test]
    fn links_unknown_packing_and_encryption_are_refused() {
        let package = files(&[("lambda_function.py", WORKING)]);
        let mode = (0o120_777_u32 << 16).to_le_bytes();
        let linked = with_directory_bytes(with_directory_bytes(package.clone(), 38, &mode), 4, &[20, 3]);
        assert_eq!(refused(&linked), PackageRefused::SymbolicLink);
        assert_eq!(refused(&with_directory_bytes(package.clone(), 10, &[12, 0])), PackageRefused::UnknownPacking);
        assert_eq!(refused(&with_directory_bytes(package, 8, &[1, 0])), PackageRefused::UnknownPacking);
    }

    #[test]
    fn a_bomb_is_refused_by_what_it_declares_and_one_that_lies_unpacks_no_further() {
        let package = files(&[("lambda_function.py", WORKING)]);
        let declared = u32::try_from(MAX_UNPACKED + 1).unwrap().to_le_bytes();
        assert_eq!(refused(&with_directory_bytes(package, 24, &declared)), PackageRefused::UnpacksTooLarge);

        // 512 MiB of blanks that say they are ten bytes.
        let mut packed = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut packed);
        let (mut entry, config) =
            archive.new_file("lambda_function.py").compression_method(CompressionMethod::DEFLATE).start().unwrap();
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::best()));
        let blanks = vec![b' '; 1 << 20];
        for _ in 0..512 {
            writer.write_all(&blanks).unwrap();
        }
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
        archive.finish().unwrap();
        assert!(packed.len() < 1 << 20);
        assert_eq!(refused(&packed), PackageRefused::UnpacksTooLarge);
        let lying = with_directory_bytes(packed, 24, &10_u32.to_le_bytes());
        let code = inspect(CodeSource::Deployed, &PYTHON, &lying, &[]).unwrap();
        assert_eq!(code.unread, ["files that are too large, or not what the archive says"]);
    }

    #[test]
    fn a_file_that_is_not_what_its_checksum_says_is_told_as_unread() {
        let package = files(&[("lambda_function.py", WORKING)]);
        let wrong = with_directory_bytes(package, 16, &0xdead_beef_u32.to_le_bytes());
        let code = inspect(CodeSource::Deployed, &PYTHON, &wrong, &[]).unwrap();
        assert_eq!(code.unread, ["files that are too large, or not what the archive says"]);
    }

    #[test]
    fn an_archive_within_the_archive_is_no_code() {
        let inner = files(&[("lambda_function.py", WORKING)]);
        let mut packed = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut packed);
        let (mut entry, config) = archive.new_file("package.zip").start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(&inner).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
        archive.finish().unwrap();
        let code = inspect(CodeSource::Deployed, &PYTHON, &packed, &[]).unwrap();
        assert_eq!(code.handler_file.missing(), Some("lambda_function.py"));
    }

    #[test]
    fn of_two_files_of_one_name_the_last_counts_as_it_does_for_whoever_unpacks_them() {
        let mut packed = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut packed);
        for source in ["def other():\n    pass\n", WORKING] {
            let (mut entry, config) = archive.new_file("lambda_function.py").start().unwrap();
            let mut writer = config.wrap(&mut entry);
            writer.write_all(source.as_bytes()).unwrap();
            let (_, descriptor) = writer.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        let code = inspect(CodeSource::Deployed, &PYTHON, &packed, &[]).unwrap();
        assert_eq!(code.handler_function, HandlerPart::Found("lambda_handler".to_owned()));
    }

    #[test]
    fn files_that_share_their_bytes_are_refused() {
        let two = files(&[("a.py", WORKING), ("lambda_function.py", WORKING)]);
        // The second entry of the directory points to the first file.
        assert_eq!(refused(&with_directory_bytes(two, 42, &[0, 0, 0, 0])), PackageRefused::Overlapping);
    }

    #[test]
    fn too_many_files_are_refused() {
        let many: BTreeMap<String, String> = (0..60_001).map(|nth| (format!("f{nth}"), String::new())).collect();
        assert_eq!(refused(&pack(&many)), PackageRefused::TooManyFiles);
    }

    #[test]
    fn deep_wide_and_meaningless_sources_come_to_an_end() {
        let mib = (1 << 20) - 100;
        let nested_ifs: String = (0..2_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        let sources = [
            "(".repeat(mib),
            format!("x = {}{}", "[".repeat(200_000), "]".repeat(200_000)),
            format!("x = {}1{}", "a if b else (".repeat(50_000), ")".repeat(50_000)),
            format!("x = {}", "f(".repeat(100_000)),
            format!("x = {}", "-".repeat(mib)),
            format!("x = {}a", "lambda: ".repeat(100_000)),
            format!("x = f{}", "()".repeat(200_000)),
            format!("x = {}", "\"\"\"".repeat(100_000)),
            format!("x = {}", "f'{".repeat(20_000)),
            format!("import {}", "a.".repeat(200_000)),
            format!("from {} import x", ".".repeat(200_000)),
            format!("import {}", vec!["a"; 100_000].join(",")),
            nested_ifs,
            "\0".repeat(10_000),
            "import a\n".repeat(50_000),
            "`${".repeat(50_000),
            "{a:".repeat(100_000),
        ];
        for source in &sources {
            for (target, file) in [(&PYTHON, "lambda_function.py"), (&NODE, "index.js")] {
                drop(inspect(CodeSource::Deployed, target, &files(&[(file, source)]), &[]).unwrap());
            }
        }
    }

    #[test]
    fn text_that_is_no_utf_8_is_told_as_unread() {
        let package = holding("lambda_function.py", b"\xff = 1\n");
        let code = inspect(CodeSource::Deployed, &PYTHON, &package, &[]).unwrap();
        assert_eq!((code.unread, code.handler_function), (vec!["files that are no UTF-8".to_owned()], HandlerPart::Untold));
    }

    #[test]
    fn modules_that_import_each_other_and_ever_more_modules_come_to_an_end() {
        let mut package: BTreeMap<String, String> =
            (0..3_000).map(|nth| (format!("m{nth}.py"), format!("import m{}\nimport m0\n", nth + 1))).collect();
        package.insert("lambda_function.py".to_owned(), "import m0\ndef lambda_handler(event, context):\n    pass\n".to_owned());
        let code = inspect(CodeSource::Deployed, &PYTHON, &pack(&package), &[]).unwrap();
        assert_eq!(code.unread, ["a part of the code: there is more of it than is looked at, or it is nested too deep"]);
        assert_eq!(missing(&code), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_bytes_and_any_damaged_package_are_refused_or_read(noise in prop::collection::vec(any::<u8>(), 0..600), at in 0_usize..400, byte in any::<u8>()) {
            drop(inspect(CodeSource::Deployed, &PYTHON, &noise, &[]));
            let mut damaged = files(&[("lambda_function.py", "import a\n"), ("a.py", "x = 1\n")]);
            if let Some(one) = damaged.get_mut(at) {
                *one = byte;
            }
            drop(inspect(CodeSource::Deployed, &PYTHON, &damaged, &[PackageLayer::Read(noise)]));
        }

        #[test]
        fn any_text_is_read(source in "(?s).{0,300}") {
            drop(python(&source));
            drop(read(&NODE, &[("index.js", &source)]));
        }
    }
}

#[test]
fn other_runtimes_are_not_looked_at() {
    for runtime in [None, Some("java21"), Some("dotnet8"), Some("provided.al2023"), Some("python2.7")] {
        let target = CodeTarget { runtime, ..PYTHON };
        assert_eq!(
            inspect(CodeSource::Deployed, &target, &files(&[]), &[]).unwrap_err(),
            PackageRefused::OtherRuntime,
            "{runtime:?}"
        );
    }
}
