//! The ids of what the bot keeps.

use super::text_type::text_type;

/// How long an id is: 128 random bits in hexadecimal digits.
const ID_CHARS: usize = 32;

/// The longest name of a thread that is read.
const MAX_THREAD_CHARS: usize = 100;

text_type! {
    /// An investigation's id, which nobody can guess: 128 random bits in 32 hexadecimal digits. A button carries it.
    InvestigationId, InvestigationIdError, "an investigation's id has 32 hexadecimal digits", |text| {
        text.len() == ID_CHARS && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    }
}

text_type! {
    /// A thread as the store knows it, whatever the platform calls it: the id of what it was opened for, or a name that nothing
    /// else can have.
    ThreadId, ThreadIdError, "a thread's id is a short word", |text| {
        (1..=MAX_THREAD_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl InvestigationId {
    /// The id that these bits are; whoever makes one up takes them at random.
    #[must_use]
    pub fn of(bits: u128) -> InvestigationId {
        InvestigationId(format!("{bits:032x}"))
    }
}

impl ThreadId {
    /// The investigation that a thread was opened for, where its name is one's.
    #[must_use]
    pub fn investigation(&self) -> Option<InvestigationId> {
        self.parse().ok()
    }
}

impl From<InvestigationId> for ThreadId {
    /// A question's thread is named as its investigation is.
    fn from(id: InvestigationId) -> ThreadId {
        ThreadId(id.0)
    }
}
