//! What Python itself and Lambda's Python runtimes bring along.

/// Modules of the standard library in any of the versions 3.8 to 3.14.
///
/// Source: `sys.stdlib_module_names` and the "What's New" pages of those versions.
const STANDARD: &str = "\
abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect \
builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression concurrent \
configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils \
doctest dummy_threading email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch formatter fractions ftplib \
functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp \
importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma macpath mailbox mailcap marshal math \
mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os \
ossaudiodev parser pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty \
pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets \
select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants \
sre_parse ssl stat statistics string string.templatelib stringprep struct subprocess sunau symbol symtable sys sysconfig syslog \
tabnanny tarfile telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib trace traceback \
tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg \
winsound wsgiref xdrlib xml xmlrpc xxsubtype zipapp zipfile zipimport zlib zoneinfo \
__future__ __main__ _abc _aix_support _android_support _apple_support _ast _ast_unparse _asyncio _bisect _blake2 _bootlocale \
_bootsubprocess _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc \
_colorize _compat_pickle _compression _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm _decimal \
_dummy_thread _elementtree _frozen_importlib _frozen_importlib_external _functools _gdbm _hashlib _heapq _hmac _imp _interpchannels \
_interpqueues _interpreters _io _ios_support _json _locale _lsprof _lzma _markupbase _md5 _msi _multibytecodec _multiprocessing \
_opcode _opcode_metadata _operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess _py_abc _py_warnings _pydatetime \
_pydecimal _pyio _pylong _pyrepl _queue _random _remote_debugging _scproxy _sha1 _sha2 _sha256 _sha3 _sha512 _signal _sitebuiltins \
_socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct _suggestions _symtable _sysconfig _thread \
_threading_local _tkinter _tokenize _tracemalloc _types _typing _uuid _warnings _weakref _weakrefset _winapi _wmi _zoneinfo _zstd";

/// Modules that left the standard library, and the minor version that first lacked them.
///
/// Source: PEP 594 and PEP 632; "What's New in Python" 3.9, 3.10, 3.11, 3.12 and 3.13.
const LEFT: &[(u32, &str)] = &[
    (9, "_dummy_thread dummy_threading macpath"),
    (10, "formatter parser symbol"),
    (11, "binhex"),
    (12, "asynchat asyncore distutils imp smtpd"),
    (
        13,
        "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib",
    ),
];

/// What Lambda's Python runtimes bring beside the standard library.
///
/// Source: Lambda Developer Guide, "Runtime-included SDK versions"; github.com/aws/aws-lambda-python-runtime-interface-client.
const OF_LAMBDA: &[&str] = &[
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "six",
    "urllib3",
    "awslambdaric",
    "bootstrap",
    "runtime_client",
    "lambda_internal",
    "simplejson",
    "snapshot_restore_py",
    "pip",
];

/// The last minor version whose runtime had setuptools.
const LAST_WITH_SETUPTOOLS: u32 = 11;

/// Where a top-level module comes from, if it comes with the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provided {
    Yes,
    No,
    /// It was part of an older Python.
    LeftTheLibrary,
}

/// Whether the runtime of this minor version of Python 3 brings the top-level module `name`.
pub(super) fn provides(minor: u32, name: &str) -> Provided {
    let has = |list: &str| list.split(' ').any(|module| module == name);
    let is_tool = matches!(name, "setuptools" | "pkg_resources" | "_distutils_hack");
    match LEFT.iter().any(|(since, modules)| minor >= *since && has(modules)) {
        true => Provided::LeftTheLibrary,
        false if OF_LAMBDA.contains(&name) || has(STANDARD) || (is_tool && minor <= LAST_WITH_SETUPTOOLS) => Provided::Yes,
        false => Provided::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_the_library_is_told_from_what_never_was_in_it() {
        assert_eq!(provides(11, "distutils"), Provided::Yes);
        assert_eq!(provides(12, "distutils"), Provided::LeftTheLibrary);
        assert_eq!(provides(13, "telnetlib"), Provided::LeftTheLibrary);
        assert_eq!(provides(13, "boto3"), Provided::Yes);
        assert_eq!(provides(13, "psycopg2"), Provided::No);
        assert_eq!((provides(11, "setuptools"), provides(12, "setuptools")), (Provided::Yes, Provided::No));
    }
}
