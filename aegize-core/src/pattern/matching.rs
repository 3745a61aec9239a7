//! What a matcher says of a value, and how several answers make one.

/// What a matcher says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// The value is what the matcher asks for, whoever reads it.
    Yes,
    /// The value cannot be what the matcher asks for.
    No,
    /// The value cannot be read as the matcher's type, or readers differ about it: it proves
    /// nothing, and nothing is ruled out.
    Unreadable,
}

impl Match {
    /// One answer is enough; without any, `No`.
    pub(crate) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::No;
        for answer in answers {
            match answer {
                Self::Yes => return Self::Yes,
                Self::Unreadable => whole = Self::Unreadable,
                Self::No => {}
            }
        }
        whole
    }

    /// Every answer counts; without any, `Yes`.
    pub(crate) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Yes;
        for answer in answers {
            match answer {
                Self::No => return Self::No,
                Self::Unreadable => whole = Self::Unreadable,
                Self::Yes => {}
            }
        }
        whole
    }
}

impl From<bool> for Match {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}
