//! What kind of disk a file is on.

use std::fs;
use std::path::{Path, PathBuf};

/// File systems that are reached over a network. Source: SQLite's "How to corrupt an SQLite database file", 2.1: their locks
/// cannot be relied on; and the write-ahead log needs memory that all processes share.
const OVER_A_NETWORK: [&str; 13] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// The kind of network disk `file` is on, or is to be on; `None` for a local one, and where that cannot be told.
#[must_use]
pub fn network_disk(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    kind(&mounts, &fs::canonicalize(folder).ok()?).filter(|kind| OVER_A_NETWORK.contains(&kind.as_str()))
}

/// The file system of the mount a path belongs to: the one with the longest point above it, and of several there the last.
///
/// Source: proc_pid_mountinfo(5).
fn kind(mounts: &str, path: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (mount, file_system) = line.split_once(" - ")?;
        let point = PathBuf::from(mount.split(' ').nth(4)?.replace("\\040", " "));
        let kind = file_system.split(' ').next()?.to_owned();
        path.starts_with(&point).then(|| (point.components().count(), kind))
    };
    mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_tells_the_kind() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      40 22 0:35 / /srv/data\\040one rw,relatime shared:9 - nfs4 files:/export rw,vers=4.2\n\
                      41 40 0:36 / /srv/data\\040one/local rw - xfs /dev/sdb1 rw\n\
                      42 22 0:37 / /srv/data rw - tmpfs tmpfs rw\n";
        for (path, expected) in [
            ("/var/lib/bot", "ext4"),
            ("/srv/data one", "nfs4"),
            ("/srv/data one/bot", "nfs4"),
            ("/srv/data one/local/bot", "xfs"),
            ("/srv/data/bot", "tmpfs"),
            ("/srv/database", "ext4"),
        ] {
            assert_eq!(kind(mounts, Path::new(path)).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(kind("", Path::new("/")), None);
        assert_eq!(network_disk(Path::new("store.db")), None, "the tests run on a local disk");
    }
}
