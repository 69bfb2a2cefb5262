//! A function's package, packed from the texts a scenario declares.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use std::collections::BTreeMap;
use std::io::{self, Write as _};

/// A file that is declared as `elf:arm64` is the beginning of a compiled file for that processor.
const COMPILED: &str = "elf:";

/// What a function does whose package no scenario declares.
const WORKING: &str = "\
def lambda_handler(event, context):
    step = event['Step']
    if step == 'createSecret':
        create_secret(event)
    elif step == 'setSecret':
        set_secret(event)
    elif step == 'testSecret':
        test_secret(event)
    elif step == 'finishSecret':
        finish_secret(event)


def create_secret(event):
    event['client'].put_secret_value(event)


def set_secret(event):
    event['database'].set_password(event)


def test_secret(event):
    event['database'].log_in(event)


def finish_secret(event):
    event['client'].update_secret_version_stage(event)
";

/// The files of a function that does its work.
pub(super) fn working() -> BTreeMap<String, String> {
    BTreeMap::from([("lambda_function.py".to_owned(), WORKING.to_owned())])
}

/// A zip archive of `files`, by path.
pub(super) fn pack(files: &BTreeMap<String, String>) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut packed);
    for (path, text) in files {
        let (mut entry, config) =
            archive.new_file(path).compression_method(CompressionMethod::DEFLATE).start().map_err(io::Error::other)?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(&content(text))?;
        let (encoder, descriptor) = writer.finish().map_err(io::Error::other)?;
        encoder.finish()?;
        entry.finish(descriptor).map_err(io::Error::other)?;
    }
    archive.finish().map_err(io::Error::other)?;
    Ok(packed)
}

fn content(text: &str) -> Vec<u8> {
    let Some(machine) = text.strip_prefix(COMPILED) else { return text.as_bytes().to_vec() };
    let number = if machine == "arm64" { 183 } else { 62 };
    let mut head = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    head.resize(18, 0);
    head.extend([number, 0]);
    head
}
