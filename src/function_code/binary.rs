//! What a compiled module was built for, from its name and the beginning of its file.

use super::archive::Archive;

/// What a compiled file runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    X86_64,
    Arm64,
    /// Linux on another processor.
    OtherLinux,
    MacOs,
    Windows,
    Unknown,
}

impl Machine {
    /// The processor of a function, as Lambda names it.
    pub(super) fn of_architecture(architecture: &str) -> Machine {
        if architecture == "arm64" { Machine::Arm64 } else { Machine::X86_64 }
    }

    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Machine::X86_64 => "x86_64",
            Machine::Arm64 => "arm64",
            Machine::OtherLinux => "another processor",
            Machine::MacOs => "macOS",
            Machine::Windows => "Windows",
            Machine::Unknown => "something unknown",
        }
    }

    /// False where it cannot run on `other`; what is unknown may.
    pub(super) fn runs_on(self, other: Machine) -> bool {
        self == Machine::Unknown || self == other
    }
}

/// Enough of a file to tell.
const HEAD_BYTES: usize = 20;

/// The offset of the processor in an ELF header, and its values.
///
/// Source: System V ABI, "ELF Header"; `elf.h`: EM_X86_64 is 62, EM_AARCH64 is 183.
const ELF_MACHINE_AT: usize = 18;

/// What the file at `path` runs on.
pub(super) fn machine_of(archive: &Archive<'_>, path: &str) -> Machine {
    archive.head(path, HEAD_BYTES).map_or(Machine::Unknown, |head| machine(&head))
}

fn machine(head: &[u8]) -> Machine {
    match head {
        [0x7f, b'E', b'L', b'F', _, order, ..] => {
            let Some(&[first, second]) = head.get(ELF_MACHINE_AT..ELF_MACHINE_AT + 2) else { return Machine::Unknown };
            let number = if *order == 2 { u16::from_be_bytes([first, second]) } else { u16::from_le_bytes([first, second]) };
            match number {
                62 => Machine::X86_64,
                183 => Machine::Arm64,
                _ => Machine::OtherLinux,
            }
        }
        // Mach-O in either byte order, and a file for several processors.
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            Machine::MacOs
        }
        [b'M', b'Z', ..] => Machine::Windows,
        _ => Machine::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_processor_and_the_system() {
        let elf = |order: u8, machine: [u8; 2]| {
            let mut head = vec![0x7f, b'E', b'L', b'F', 2, order];
            head.resize(ELF_MACHINE_AT, 0);
            head.extend(machine);
            head
        };
        assert_eq!(machine(&elf(1, [62, 0])), Machine::X86_64);
        assert_eq!(machine(&elf(1, [183, 0])), Machine::Arm64);
        assert_eq!(machine(&elf(2, [0, 62])), Machine::X86_64);
        assert_eq!(machine(&elf(1, [3, 0])), Machine::OtherLinux);
        assert_eq!(machine(&[0xcf, 0xfa, 0xed, 0xfe, 7]), Machine::MacOs);
        assert_eq!(machine(b"MZ\x90"), Machine::Windows);
        for broken in [&b""[..], b"\x7fELF", b"\x7fELF\x02\x01", b"#!/bin/sh"] {
            assert_eq!(machine(broken), Machine::Unknown);
        }
        assert!(Machine::Unknown.runs_on(Machine::Arm64) && !Machine::MacOs.runs_on(Machine::Arm64));
    }
}
