//! Blobs: contents of files by their ids.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_blob::{GetBlobInput, GetBlobOutput};
use git::{Kind, ObjectId, Reader};

use crate::commit::FILE_BYTES_MAX;
use crate::name::{self, RepositoryName};
use crate::{CodeCommit, Exception};

pub(crate) fn get_blob(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetBlobInput,
) -> Result<GetBlobOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let id = id(input.blob_id)?;
    let repository = service.find(call, &name)?;
    let content = read(&mut service.objects(call, &repository)?.reader(), id)?;
    Ok(GetBlobOutput::builder().content(content.into()).build().expect("the required members are set"))
}

/// Parses the id of a blob: forty hexadecimal digits.
pub(super) fn id(id: Option<String>) -> Result<ObjectId, Exception> {
    let id = name::required(id, Exception::BlobIdRequired)?;
    ObjectId::from_hex(id.as_bytes()).map_err(|_| Exception::InvalidBlobId { id })
}

/// Reads a blob of at most `FILE_BYTES_MAX` bytes.
pub(super) fn read(reader: &mut Reader, id: ObjectId) -> Result<Vec<u8>, Exception> {
    let missing = || Exception::BlobIdDoesNotExist { id: id.to_string() };
    match reader.header(&id)? {
        Some((Kind::Blob, bytes)) if bytes > FILE_BYTES_MAX => Err(Exception::FileTooLarge { limit: FILE_BYTES_MAX }),
        Some((Kind::Blob, _)) => Ok(reader.find(&id)?.ok_or_else(missing)?.data),
        _ => Err(missing()),
    }
}
