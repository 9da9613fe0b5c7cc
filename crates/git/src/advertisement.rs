//! The advertisement of both services: the references and the capabilities of the server.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use crate::{
    Offers, Options, References, Service, Version,
    pktline::{Lines, Packet, Packets},
};

/// The name of the program in the capabilities.
pub(crate) const AGENT: &str = concat!("agent=codecommit-local/", env!("CARGO_PKG_VERSION"));

/// Renders the body of an `info/refs` response, with its `# service=` section where the version has one.
///
/// The capabilities of the AWS offers are from a capture of 2018.
pub fn advertise(service: Service, version: Version, references: &References, options: &Options) -> Vec<u8> {
    let offers = &options.offers;
    let mut out = Packets::default();
    // A push has no version 2; it uses version 0.
    if version == Version::V2 && service == Service::UploadPack {
        commands(&mut out, offers);
        return out.into_bytes();
    }
    out.line(format!("# service={}\n", service.name()));
    out.flush();
    if version == Version::V1 {
        out.line("version 1\n");
    }
    // Only the first line has them.
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

/// Renders the advertisement of version 2: the commands with their features, without references.
fn commands(out: &mut Packets, offers: &Offers) {
    let offered = |is_offered: bool, text: &'static str| if is_offered { text } else { "" };
    out.line("version 2\n");
    out.line(format!("{AGENT}\n"));
    out.line(format!("ls-refs{}\n", offered(offers.unborn, "=unborn")));
    out.line(format!(
        "fetch=shallow wait-for-done{}{}{}\n",
        offered(offers.filter, " filter"),
        offered(offers.ref_in_want, " ref-in-want"),
        offered(offers.sideband_all, " sideband-all"),
    ));
    out.line("server-option\n");
    out.line("object-format=sha1\n");
    if offers.session_id {
        out.line(format!("session-id={}\n", session_id()));
    }
    if offers.object_info {
        out.line("object-info\n");
    }
    out.flush();
}

/// Generates a unique session id.
fn session_id() -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}-{}-{}", *PROCESS, std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Returns the part of an advertisement that a stream transport sends: everything but the `# service=` section.
pub fn of_stream(advertisement: &[u8]) -> &[u8] {
    let mut rest = advertisement;
    let mut lines = Lines::new(&mut rest, u64::MAX);
    let has_section = matches!(lines.next(), Ok(Packet::Line(line)) if line.starts_with(b"# service="));
    if has_section && matches!(lines.next(), Ok(Packet::Flush)) { rest } else { advertisement }
}

fn capabilities(service: Service, references: &References, offers: &Offers) -> String {
    match (service, offers.modern) {
        (Service::UploadPack, false) => {
            "multi_ack_detailed shallow side-band-64k thin-pack allow-tip-sha1-in-want allow-reachable-sha1-in-want"
                .into()
        }
        (Service::ReceivePack, false) => "report-status delete-refs side-band-64k".into(),
        (Service::UploadPack, true) => upload_pack_capabilities(references, offers),
        (Service::ReceivePack, true) => {
            let offered = |is_offered: bool, name| if is_offered { name } else { "" };
            let atomic = offered(offers.atomic, " atomic");
            let push_options = offered(offers.push_options, " push-options");
            let session = if offers.session_id { format!(" session-id={}", session_id()) } else { String::new() };
            format!(
                "report-status report-status-v2 delete-refs side-band-64k quiet{atomic} ofs-delta{push_options} \
                 object-format=sha1 {AGENT}{session}"
            )
        }
    }
}

fn upload_pack_capabilities(references: &References, offers: &Offers) -> String {
    let offered = |is_offered: bool, text: &'static str| if is_offered { text } else { "" };
    let symref = match (references.head_target(), references.leads_to(b"HEAD")) {
        (Some(_), Some(branch)) => format!(" symref=HEAD:{branch}"),
        _ => String::new(),
    };
    let session = if offers.session_id { format!(" session-id={}", session_id()) } else { String::new() };
    format!(
        "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative \
         no-progress include-tag multi_ack_detailed{}{} no-done{symref}{}{session} object-format=sha1 {AGENT}",
        offered(offers.tip_ids || offers.any_ids, " allow-tip-sha1-in-want"),
        offered(offers.reachable_ids || offers.any_ids, " allow-reachable-sha1-in-want"),
        offered(offers.filter, " filter"),
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
    fn the_first_line_equals_a_capture_from_aws() {
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
    fn streams_get_no_section_for_the_service() {
        for service in [Service::UploadPack, Service::ReceivePack] {
            for (version, start) in [(Version::V0, "00"), (Version::V1, "000eversion 1\n"), (Version::V2, "00")] {
                let body = advertise(service, version, &References::default(), &Options::default());
                let stream = of_stream(&body);
                assert!(stream.starts_with_str(start) && !stream.contains_str("# service"), "{service:?} {version:?}");
                assert!(body.ends_with(stream) && stream.ends_with(b"0000"));
                assert_eq!(of_stream(stream), stream);
            }
        }
    }

    #[test]
    fn an_empty_repository_advertises_its_capabilities() {
        let body = advertise(Service::ReceivePack, Version::V0, &References::default(), &Options::default());
        let null = id('0');
        assert!(body.contains_str(format!("{null} capabilities^{{}}\0report-status")));
    }
}
