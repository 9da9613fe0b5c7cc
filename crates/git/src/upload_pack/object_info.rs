//! The command `object-info` of version 2: the sizes of objects.

use gix::ObjectId;

use crate::{ProtocolError, pktline::Packets, reader::Reader};

/// A request for the sizes of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ObjectInfoRequest {
    pub(super) wants_size: bool,
    pub(super) ids: Vec<ObjectId>,
}

impl ObjectInfoRequest {
    /// Renders the response: a header, then for each object its id and its size in bytes.
    pub(super) fn respond(self, reader: &mut Reader) -> Result<Vec<u8>, ProtocolError> {
        let mut out = Packets::default();
        if self.wants_size && !self.ids.is_empty() {
            out.line("size");
        }
        for id in self.ids {
            if !self.wants_size {
                out.line(id.to_string());
                continue;
            }
            match reader.header(&id)? {
                Some((_, bytes)) => out.line(format!("{id} {bytes}")),
                None => out.line(format!("{id} ")),
            }
        }
        out.flush();
        Ok(out.into_bytes())
    }
}
