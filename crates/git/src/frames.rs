//! The framing of side bands.

use crate::pktline;

/// The framing of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frames {
    /// No side bands: the plain bytes.
    None,
    /// `side-band`: lines of at most 1,000 bytes.
    Small,
    /// `side-band-64k`.
    Large,
}

impl Frames {
    /// Returns the framing that the client requests.
    pub(crate) fn requested_by(capabilities: &[String]) -> Self {
        let requests = |name: &str| capabilities.iter().any(|capability| capability == name);
        if requests("side-band-64k") {
            Self::Large
        } else if requests("side-band") {
            Self::Small
        } else {
            Self::None
        }
    }

    /// Returns the maximum payload of a frame, in bytes.
    pub(crate) fn payload_bytes(self) -> usize {
        match self {
            Self::Small => 995,
            Self::None | Self::Large => pktline::LINE_BYTES_MAX - 5,
        }
    }
}
