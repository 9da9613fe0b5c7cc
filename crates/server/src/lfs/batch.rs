//! Batches: which objects a client wants to send or fetch, and where and with what token it does.

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use codecommit::lfs::{InvalidLfsObjectId, LfsError, LfsObject, UploadPlan};
use codecommit::repository::Repository;
use git::Service;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::git_serving::{Session, event};
use crate::lfs::faults::Reference;
use crate::lfs::reply::{LfsFailure, MEDIA_TYPE, json_reply};
use crate::lfs::token::{GrantedOperation, ObjectGrant, TOKEN_LIFETIME};
use crate::lfs::{LfsRequest, parse, record};

/// Objects of a batch, at most; git-lfs sends 100.
const OBJECTS_MAX: usize = 1_000;

/// The only transfer.
const TRANSFER: &str = "basic";

#[derive(Deserialize)]
struct Batch {
    operation: GrantedOperation,
    transfers: Option<Vec<String>>,
    objects: Vec<RequestedObject>,
    hash_algo: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<Reference>,
}

#[derive(Deserialize)]
struct RequestedObject {
    oid: String,
    size: i64,
}

/// An object of the answer.
struct Answered {
    oid: String,
    size: i64,
    outcome: Outcome,
}

enum Outcome {
    /// The object is to be transferred.
    Transfer(LfsObject),
    /// The object is there, and must not be sent.
    Present,
    Refused(LfsFailure),
}

/// Answers a batch, and records it.
pub(super) fn respond(request: &LfsRequest, body: &Bytes) -> Result<Response<Body>, LfsFailure> {
    let mut batch: Batch = parse(body)?;
    check(&batch)?;
    let (service, name) = match batch.operation {
        GrantedOperation::Upload => (Service::ReceivePack, "upload"),
        GrantedOperation::Download => (Service::UploadPack, "download"),
    };
    let session = request.session(service);
    let repository = session.repository()?;
    let failed = || event::without_data(&session, &repository.name, Some(&repository));
    request.check_faults(event::name(service), &repository, batch.reference.take(), failed)?;
    let valid: Vec<Result<LfsObject, LfsFailure>> = batch.objects.iter().map(RequestedObject::validate).collect();
    let objects: Vec<LfsObject> = valid.iter().filter_map(|object| object.as_ref().ok().copied()).collect();
    let codecommit = &request.state.codecommit;
    let (planned, plan) = match batch.operation {
        GrantedOperation::Upload => {
            let plan = codecommit.plan_lfs_upload(&request.call, &repository, &objects);
            plan.map(|mut plan| (std::mem::take(&mut plan.objects), Some(plan)))
        }
        GrantedOperation::Download => codecommit
            .find_lfs_objects(&repository, &objects)
            .map(|found| (found.into_iter().map(|object| object.map(|()| true)).collect(), None)),
    }
    .map_err(|error| fail(request, &session, error))?;
    let mut planned = objects.iter().zip(planned);
    let outcome = |valid: Result<LfsObject, LfsFailure>| {
        let planned = valid.map(|_object| planned.next().expect("each valid object was planned"));
        match planned {
            Ok((object, Ok(true))) => Outcome::Transfer(*object),
            Ok((_, Ok(false))) => Outcome::Present,
            Ok((_, Err(error))) => Outcome::Refused(error.into()),
            Err(refused) => Outcome::Refused(refused),
        }
    };
    let outcomes: Vec<Outcome> = valid.into_iter().map(outcome).collect();
    let transferred = outcomes.iter().filter_map(Outcome::transferred);
    let (count, bytes) =
        transferred.fold((0, 0_u64), |(count, bytes), object| (count + 1, bytes.saturating_add(object.bytes)));
    let event = record::batch(&session, &repository, name, count, bytes);
    match plan.filter(UploadPlan::is_renewal_due) {
        Some(plan) => request.transact(move |transaction| (plan.renew(transaction), event))?,
        None => request.record(event)?,
    }
    let answered = batch.objects.into_iter().zip(outcomes);
    let answered = answered.map(|(RequestedObject { oid, size }, outcome)| Answered { oid, size, outcome });
    let objects: Vec<Value> = answered.map(|object| object.json(request, &repository, batch.operation)).collect();
    Ok(json_reply(200, &json!({ "transfer": TRANSFER, "objects": objects, "hash_algo": "sha256" })))
}

/// Refuses a batch that this server cannot answer.
fn check(batch: &Batch) -> Result<(), LfsFailure> {
    if batch.objects.len() > OBJECTS_MAX {
        let message = format!("The batch has {} objects. A batch can have {OBJECTS_MAX}.", batch.objects.len());
        return Err(LfsFailure::new(413, message));
    }
    if let Some(name) = batch.hash_algo.as_ref().filter(|name| *name != "sha256") {
        return Err(LfsFailure::new(409, format!("The ID of an object is its SHA-256; {name} is not supported.")));
    }
    // An empty list is that of a client which only knows the basic transfer.
    let is_basic = |transfers: &Vec<String>| transfers.is_empty() || transfers.iter().any(|name| name == TRANSFER);
    if !batch.transfers.as_ref().is_none_or(is_basic) {
        return Err(LfsFailure::new(422, "This server supports the transfer \"basic\" only."));
    }
    Ok(())
}

/// Records that a batch failed.
fn fail(request: &LfsRequest, session: &Session, error: LfsError) -> LfsFailure {
    let failure = match error {
        LfsError::Failed(exception) => return session.record_failure(exception.into()).into(),
        error => LfsFailure::from(error),
    };
    if request.state.settings.git.lfs.events {
        drop(session.record_failure(aws::Failure::client("InvalidRequestException", failure.message.clone())));
    }
    failure
}

impl RequestedObject {
    fn validate(&self) -> Result<LfsObject, LfsFailure> {
        let id = self.oid.parse().map_err(|invalid: InvalidLfsObjectId| LfsFailure::new(422, invalid.to_string()))?;
        let negative = |_| LfsFailure::new(422, "The size of an object is not negative.");
        Ok(LfsObject { id, bytes: u64::try_from(self.size).map_err(negative)? })
    }
}

impl Outcome {
    const fn transferred(&self) -> Option<&LfsObject> {
        match self {
            Self::Transfer(object) => Some(object),
            Self::Present | Self::Refused(_) => None,
        }
    }
}

impl Answered {
    fn json(self, request: &LfsRequest, repository: &Repository, operation: GrantedOperation) -> Value {
        let Self { oid, size, outcome } = self;
        let object = match outcome {
            Outcome::Present => return json!({ "oid": oid, "size": size }),
            Outcome::Refused(LfsFailure { status, message }) => {
                return json!({ "oid": oid, "size": size, "error": { "code": status, "message": message } });
            }
            Outcome::Transfer(object) => object,
        };
        let token =
            request.state.lfs_tokens.of_object(ObjectGrant::new(operation, repository, object), request.call.time);
        let base = format!("{}/{}/info/lfs", request.call.clone_url_base, repository.name);
        let authorization = format!("Bearer {token}");
        let action = |path: &str, mut header: Value| {
            header["Authorization"] = authorization.as_str().into();
            json!({ "href": format!("{base}/{path}"), "header": header, "expires_in": TOKEN_LIFETIME.as_secs() })
        };
        let object_path = format!("objects/{oid}");
        let actions = match operation {
            GrantedOperation::Download => json!({ "download": action(&object_path, json!({})) }),
            GrantedOperation::Upload => json!({
                // Clients would guess the type of the content, and some send no `Accept` to verify.
                "upload": action(&object_path, json!({ "Content-Type": "application/octet-stream" })),
                "verify": action("verify", json!({ "Accept": MEDIA_TYPE })),
            }),
        };
        json!({ "oid": oid, "size": size, "authenticated": true, "actions": actions })
    }
}
