//! The first answer of both services: the references and what the server can do.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use crate::{Offers, Options, References, Service, Version, pktline::Packets};

/// The program's name as clients and servers tell it each other.
pub(crate) const AGENT: &str = concat!("agent=codecommit-local/", env!("CARGO_PKG_VERSION"));

/// Renders the whole body of an `info/refs` answer, with its `# service=` line where the version has one.
///
/// The capabilities of the AWS offers are those of a capture of 2018.
pub fn advertise(service: Service, version: Version, references: &References, options: &Options) -> Vec<u8> {
    let offers = &options.offers;
    let mut out = Packets::default();
    // A push of version 2 does not exist; it is answered as version 0.
    if version == Version::V2 && service == Service::UploadPack {
        commands(&mut out, offers);
        return out.into_bytes();
    }
    out.line(format!("# service={}\n", service.name()));
    out.flush();
    if version == Version::V1 {
        out.line("version 1\n");
    }
    let mut capabilities = Some(capabilities(service, references, offers));
    let mut line = |out: &mut Packets, id: ObjectId, name: &BStr, suffix: &str| {
        let mut text = BString::from(format!("{id} "));
        text.extend_from_slice(name);
        text.extend_from_slice(suffix.as_bytes());
        if let Some(capabilities) = capabilities.take() {
            text.push(0);
            text.extend_from_slice(capabilities.as_bytes());
        }
        text.push(b'\n');
        out.line(text);
    };
    let head = references.head_target().filter(|_| service == Service::UploadPack);
    if let Some(id) = head {
        line(&mut out, id, b"HEAD".as_bstr(), "");
    }
    for reference in &references.references {
        line(&mut out, reference.target, reference.name.as_bstr(), "");
        if service == Service::UploadPack
            && let Some(peeled) = reference.peeled
        {
            line(&mut out, peeled, reference.name.as_bstr(), "^{}");
        }
    }
    if references.references.is_empty() && head.is_none() {
        line(&mut out, ObjectId::null(gix::hash::Kind::Sha1), b"capabilities^{}".as_bstr(), "");
    }
    for id in &references.shallow {
        out.line(format!("shallow {id}\n"));
    }
    out.flush();
    out.into_bytes()
}

/// Renders what version 2 says instead of the references: the commands and what they can do.
fn commands(out: &mut Packets, offers: &Offers) {
    let asked = |offered: bool, text: &'static str| if offered { text } else { "" };
    out.line("version 2\n");
    out.line(format!("{AGENT}\n"));
    out.line(format!("ls-refs{}\n", asked(offers.unborn, "=unborn")));
    out.line(format!(
        "fetch=shallow wait-for-done{}{}{}\n",
        asked(offers.filter, " filter"),
        asked(offers.ref_in_want, " ref-in-want"),
        asked(offers.sideband_all, " sideband-all"),
    ));
    out.line("server-option\n");
    out.line("object-format=sha1\n");
    if offers.session_id {
        out.line(format!("session-id={}\n", session()));
    }
    if offers.object_info {
        out.line("object-info\n");
    }
    out.flush();
}

/// Makes a name for the session with one client, which no other has.
fn session() -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}-{}-{}", *PROCESS, std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn capabilities(service: Service, references: &References, offers: &Offers) -> String {
    match (service, offers.modern) {
        (Service::UploadPack, false) => {
            "multi_ack_detailed shallow side-band-64k thin-pack allow-tip-sha1-in-want allow-reachable-sha1-in-want"
                .into()
        }
        (Service::ReceivePack, false) => "report-status delete-refs side-band-64k".into(),
        (Service::UploadPack, true) => of_upload_pack(references, offers),
        (Service::ReceivePack, true) => {
            let offered = |is_offered: bool, name| if is_offered { name } else { "" };
            let atomic = offered(offers.atomic, " atomic");
            let push_options = offered(offers.push_options, " push-options");
            let session = if offers.session_id { format!(" session-id={}", session()) } else { String::new() };
            format!(
                "report-status report-status-v2 delete-refs side-band-64k quiet{atomic} ofs-delta{push_options} \
                 object-format=sha1 {AGENT}{session}"
            )
        }
    }
}

fn of_upload_pack(references: &References, offers: &Offers) -> String {
    let asked = |offered: bool, text: &'static str| if offered { text } else { "" };
    let symref = match (references.head_target(), references.leads_to(b"HEAD")) {
        (Some(_), Some(branch)) => format!(" symref=HEAD:{branch}"),
        _ => String::new(),
    };
    let session = if offers.session_id { format!(" session-id={}", session()) } else { String::new() };
    format!(
        "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative \
         no-progress include-tag multi_ack_detailed{}{} no-done{symref}{}{session} object-format=sha1 {AGENT}",
        asked(offers.tip_ids || offers.any_ids, " allow-tip-sha1-in-want"),
        asked(offers.reachable_ids || offers.any_ids, " allow-reachable-sha1-in-want"),
        asked(offers.filter, " filter"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reference;

    fn id(digit: char) -> ObjectId {
        ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).expect("forty digits")
    }

    #[test]
    fn the_first_line_is_as_captured_from_aws() {
        let references = References {
            head: Some("refs/heads/master".into()),
            references: vec![Reference { name: "refs/heads/master".into(), target: id('a'), peeled: None }],
            ..References::default()
        };
        let body = advertise(Service::UploadPack, Version::V0, &references, &Options::default());
        let expected = format!(
            "001e# service=git-upload-pack\n00000099{a} HEAD\0multi_ack_detailed shallow side-band-64k thin-pack \
             allow-tip-sha1-in-want allow-reachable-sha1-in-want\n003f{a} refs/heads/master\n0000",
            a = id('a')
        );
        assert_eq!(body.as_bstr(), expected.as_bytes().as_bstr());
    }

    #[test]
    fn tags_are_peeled_for_fetches_only() {
        let references = References {
            head: Some("refs/heads/gone".into()),
            references: vec![Reference { name: "refs/tags/v1".into(), target: id('a'), peeled: Some(id('b')) }],
            ..References::default()
        };
        let body = advertise(Service::UploadPack, Version::V0, &references, &Options::default());
        assert!(!body.contains_str("HEAD"));
        assert!(body.contains_str(format!("{} refs/tags/v1^{{}}\n", id('b'))));
        let body = advertise(Service::ReceivePack, Version::V0, &references, &Options::default());
        assert!(!body.contains_str("^{}"));
        assert!(body.contains_str("refs/tags/v1\0report-status delete-refs side-band-64k\n0000"));
    }

    #[test]
    fn an_empty_repository_still_tells_what_it_can() {
        let body = advertise(Service::ReceivePack, Version::V0, &References::default(), &Options::default());
        let null = id('0');
        assert!(body.contains_str(format!("{null} capabilities^{{}}\0report-status")));
    }
}
