//! A zip archive: checked whole before anything of it is unpacked, and then unpacked file by file, up to a bound.

use super::PackageRefused;
use super::budget::ReadingBudget;
use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Bound;

/// Files in one archive. A large application with all its packages has some tens of thousands.
const MAX_FILES: usize = 60_000;

/// The longest path, in bytes.
const MAX_PATH: usize = 1_024;

/// The bit of an entry's flags that says that it is encrypted.
const ENCRYPTED: u16 = 1;

/// A package or a layer.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    zip: ZipSliceArchive<&'a [u8]>,
    files: BTreeMap<String, ArchivedFile>,
    unreadable_names: bool,
}

#[derive(Debug, Clone, Copy)]
struct ArchivedFile {
    place: ZipArchiveEntryWayfinder,
    is_deflated: bool,
    bytes: u64,
}

impl<'a> Archive<'a> {
    /// Checks the archive's directory.
    pub(super) fn open(bytes: &'a [u8], budget: &mut ReadingBudget) -> Result<Archive<'a>, PackageRefused> {
        if !budget.take_packed(bytes.len()) {
            return Err(PackageRefused::TooLarge);
        }
        let zip = ZipArchive::from_slice(bytes).map_err(|_| PackageRefused::NotAZip)?;
        let mut archive = Archive { zip, files: BTreeMap::new(), unreadable_names: false };
        let mut spans = Vec::new();
        let mut entries = archive.zip.entries();
        while let Some(entry) = entries.next_entry().map_err(|_| PackageRefused::NotAZip)? {
            if spans.len() >= MAX_FILES {
                return Err(PackageRefused::TooManyFiles);
            }
            if entry.mode().is_symlink() {
                return Err(PackageRefused::SymbolicLink);
            }
            let raw = entry.file_path();
            let Ok(path) = std::str::from_utf8(raw.as_bytes()) else {
                archive.unreadable_names = true;
                continue;
            };
            if leads_outside(path) {
                return Err(PackageRefused::PathOutside);
            }
            let is_deflated = match entry.compression_method() {
                CompressionMethod::STORE => false,
                CompressionMethod::DEFLATE => true,
                _ => return Err(PackageRefused::UnknownPacking),
            };
            if entry.flags().bits() & ENCRYPTED != 0 {
                return Err(PackageRefused::UnknownPacking);
            }
            let bytes = entry.uncompressed_size_hint();
            if !budget.take_unpacked(bytes) {
                return Err(PackageRefused::UnpacksTooLarge);
            }
            let stored = archive.zip.get_entry(entry.wayfinder()).map_err(|_| PackageRefused::NotAZip)?;
            let end = stored.compressed_data_range().1;
            spans.push((entry.local_header_offset(), end));
            if end > archive.zip.directory_offset() {
                return Err(PackageRefused::Overlapping);
            }
            if !entry.is_dir() {
                archive.files.insert(path.to_owned(), ArchivedFile { place: entry.wayfinder(), is_deflated, bytes });
            }
        }
        spans.sort_unstable();
        let overlap = spans.iter().zip(spans.iter().skip(1)).any(|((_, end), (start, _))| start < end);
        if overlap { Err(PackageRefused::Overlapping) } else { Ok(archive) }
    }

    /// The paths, in order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The paths that begin with `beginning`.
    pub(super) fn beginning_with<'s>(&'s self, beginning: &'s str) -> impl Iterator<Item = &'s str> {
        let from = (Bound::Included(beginning), Bound::Unbounded);
        self.files.range::<str, _>(from).map(|(path, _)| path.as_str()).take_while(move |path| path.starts_with(beginning))
    }

    /// True where a folder of this name holds a file.
    pub(super) fn has_folder(&self, path: &str) -> bool {
        self.beginning_with(&format!("{path}/")).next().is_some()
    }

    pub(super) fn has_unreadable_names(&self) -> bool {
        self.unreadable_names
    }

    /// A whole file of at most `largest` bytes; `None` where there is none, or it is larger or not what it says.
    pub(super) fn read(&self, path: &str, largest: usize) -> Option<Vec<u8>> {
        let file = self.files.get(path)?;
        let expected = usize::try_from(file.bytes).ok().filter(|bytes| *bytes <= largest)?;
        let text = self.unpack(*file, expected.checked_add(1)?)?;
        (text.len() == expected).then_some(text)
    }

    /// The beginning of a file.
    pub(super) fn head(&self, path: &str, bytes: usize) -> Option<Vec<u8>> {
        self.unpack(*self.files.get(path)?, bytes)
    }

    fn unpack(&self, file: ArchivedFile, most: usize) -> Option<Vec<u8>> {
        let entry = self.zip.get_entry(file.place).ok()?;
        let mut unpacked = Vec::new();
        let most = u64::try_from(most).ok()?;
        // Where a file is read to its end, it has to be what its checksum says.
        match file.is_deflated {
            true => entry.verifying_reader(DeflateDecoder::new(entry.data())).take(most).read_to_end(&mut unpacked).ok()?,
            false => entry.verifying_reader(entry.data()).take(most).read_to_end(&mut unpacked).ok()?,
        };
        Some(unpacked)
    }
}

/// True for what is no path below the archive's root.
fn leads_outside(path: &str) -> bool {
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    path.is_empty()
        || path.len() > MAX_PATH
        || path.starts_with('/')
        || has_drive
        || path.contains(['\\', '\0'])
        || path.split('/').any(|part| part == "..")
}
