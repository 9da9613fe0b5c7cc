//! The frames of the side bands, by their size.

use crate::pktline;

/// How much of an answer one frame may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frames {
    /// No bands: the bare bytes.
    None,
    /// `side-band`: lines of at most 1,000 bytes.
    Small,
    /// `side-band-64k`.
    Large,
}

impl Frames {
    /// Chooses what the client asked for.
    pub(crate) fn of(capabilities: &[String]) -> Self {
        let asked = |name: &str| capabilities.iter().any(|capability| capability == name);
        if asked("side-band-64k") {
            Self::Large
        } else if asked("side-band") {
            Self::Small
        } else {
            Self::None
        }
    }

    pub(crate) fn payload_bytes(self) -> usize {
        match self {
            Self::Small => 995,
            Self::None | Self::Large => pktline::LINE_BYTES_MAX - 5,
        }
    }
}
