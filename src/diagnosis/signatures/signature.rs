//! What one entry of the signature table is made of.

use super::fault::Fault;
use super::line::Line;
use crate::model::{Cause, RotationStep};

/// How much a line tells; the order decides which line of an invocation is believed.
///
/// A line that names the layer that refused says more than a driver's text, which says more than
/// "unable to log in", which says more than a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineSpecificity {
    Normal,
    Marker,
    /// An exception of the function's own code.
    UnhandledException,
    /// The time was up.
    Timeout,
    /// A login failed, for whatever reason.
    AmbiguousLogin,
    /// A driver, a server, an API or the runtime says what is wrong.
    NamedFault,
    /// The secret's content, or its staging labels.
    SecretContent,
    /// The function cannot be loaded.
    Code,
    Kms,
    /// The layer that refused, by name.
    AccessLayer,
}

/// How far a try came that failed: of lines that tell equally much, the one that came further is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reached {
    /// A closing sentence, whatever went before.
    Closing,
    Nobody,
    /// A server answered the second try, the one without TLS.
    Fallback,
    /// A server, an API or the runtime said what is wrong.
    Answer,
}

/// What a matching line means.
#[derive(Clone, Copy)]
pub(super) enum LineMeaning {
    Is(Cause),
    /// The line decides: the host it names, the key that is missing, the action that was denied.
    Depends(fn(&Line<'_>) -> Option<Cause>),
}

/// An entry of the table.
#[derive(Clone, Copy)]
pub(super) struct Signature {
    pub(super) verdict: LineMeaning,
    pub(super) specificity: LineSpecificity,
    pub(super) engine: Option<&'static str>,
    /// The step that alone can print it.
    pub(super) step: Option<RotationStep>,
    /// How far the try came, where its cause does not tell.
    pub(super) reached: Option<Reached>,
    /// What it is within its cause, where the cause's advice does not hold.
    pub(super) fault: Option<Fault>,
    /// Regular expressions, one of which matches, without regard to case.
    pub(super) patterns: &'static [&'static str],
    /// Lines that must be classified by this entry's verdict.
    pub(super) matches: &'static [&'static str],
    /// Lines that look alike and must not be.
    pub(super) ignores: &'static [&'static str],
}

/// An entry that means `cause` whenever one of `patterns` matches.
pub(super) const fn is(cause: Cause, specificity: LineSpecificity, patterns: &'static [&'static str]) -> Signature {
    entry(LineMeaning::Is(cause), specificity, patterns)
}

/// An entry whose meaning `decide` reads from the line.
pub(super) const fn depends(
    decide: fn(&Line<'_>) -> Option<Cause>,
    specificity: LineSpecificity,
    patterns: &'static [&'static str],
) -> Signature {
    entry(LineMeaning::Depends(decide), specificity, patterns)
}

const fn entry(verdict: LineMeaning, specificity: LineSpecificity, patterns: &'static [&'static str]) -> Signature {
    Signature { verdict, specificity, engine: None, step: None, reached: None, fault: None, patterns, matches: &[], ignores: &[] }
}

impl Signature {
    pub(super) const fn engine(mut self, engine: &'static str) -> Signature {
        self.engine = Some(engine);
        self
    }

    pub(super) const fn step(mut self, step: RotationStep) -> Signature {
        self.step = Some(step);
        self
    }

    /// Ends what went before, and says nothing of its own.
    pub(super) const fn closing(mut self) -> Signature {
        self.reached = Some(Reached::Closing);
        self
    }

    /// Answers the try without TLS.
    pub(super) const fn fallback(mut self) -> Signature {
        self.reached = Some(Reached::Fallback);
        self
    }

    /// Somebody answered, although no connection came of it.
    pub(super) const fn answered(mut self) -> Signature {
        self.reached = Some(Reached::Answer);
        self
    }

    pub(super) const fn fault(mut self, fault: Fault) -> Signature {
        self.fault = Some(fault);
        self
    }

    /// How far a try came that this entry reads as `cause`.
    pub(super) fn reached(&self, cause: Cause) -> Reached {
        self.reached.unwrap_or(match cause {
            Cause::DbNetworkUnreachable | Cause::AwsEndpointUnreachable => Reached::Nobody,
            _ => Reached::Answer,
        })
    }

    pub(super) const fn matches(mut self, samples: &'static [&'static str]) -> Signature {
        self.matches = samples;
        self
    }

    pub(super) const fn ignores(mut self, samples: &'static [&'static str]) -> Signature {
        self.ignores = samples;
        self
    }
}
