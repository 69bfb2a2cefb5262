//! How much of a package is looked at, whatever is in it.

/// The source text that is parsed, in bytes: some thousand modules.
const MAX_SOURCE_BYTES: usize = 16 << 20;

/// Modules that are parsed.
const MAX_MODULES: usize = 400;

/// Steps of the parser, in its own units of a hundred operations: a megabyte of ordinary code takes about 10000.
const MAX_PARSE_STEPS: usize = 200_000;

/// Nodes that are visited, over all modules.
const MAX_NODES: usize = 12_000_000;

/// What is left to be spent on one package.
#[derive(Debug)]
pub(super) struct ReadingBudget {
    source_bytes: usize,
    modules: usize,
    parse_steps: usize,
    nodes: usize,
    /// Bytes that may still be declared as unpacked.
    unpacked: u64,
    /// Bytes that may still be packed.
    packed: usize,
    is_exhausted: bool,
}

impl Default for ReadingBudget {
    fn default() -> ReadingBudget {
        ReadingBudget {
            source_bytes: MAX_SOURCE_BYTES,
            modules: MAX_MODULES,
            parse_steps: MAX_PARSE_STEPS,
            nodes: MAX_NODES,
            unpacked: super::MAX_UNPACKED,
            packed: super::MAX_PACKED,
            is_exhausted: false,
        }
    }
}

impl ReadingBudget {
    /// Takes the packed bytes of an archive; false where they are too many.
    pub(super) fn take_packed(&mut self, bytes: usize) -> bool {
        take(&mut self.packed, bytes)
    }

    /// Takes the unpacked bytes of an entry; false where they are too many.
    pub(super) fn take_unpacked(&mut self, bytes: u64) -> bool {
        let left = self.unpacked.checked_sub(bytes);
        self.unpacked = left.unwrap_or_default();
        left.is_some()
    }

    /// Takes one module of so many bytes; false where enough was read.
    pub(super) fn take_module(&mut self, bytes: usize) -> bool {
        let is_left = take(&mut self.modules, 1) && take(&mut self.source_bytes, bytes);
        self.is_exhausted |= !is_left;
        is_left
    }

    pub(super) fn take_parse_step(&mut self) -> bool {
        let is_left = take(&mut self.parse_steps, 1);
        self.is_exhausted |= !is_left;
        is_left
    }

    /// A module was left out.
    pub(super) fn leave_out(&mut self) {
        self.is_exhausted = true;
    }

    pub(super) fn take_node(&mut self) -> bool {
        let is_left = take(&mut self.nodes, 1);
        self.is_exhausted |= !is_left;
        is_left
    }

    /// What to tell people, where not all was looked at.
    pub(super) fn exhausted(&self) -> Option<&'static str> {
        self.is_exhausted.then_some("a part of the code: there is more of it than is looked at, or it is nested too deep")
    }
}

fn take(left: &mut usize, amount: usize) -> bool {
    let rest = left.checked_sub(amount);
    *left = rest.unwrap_or_default();
    rest.is_some()
}
