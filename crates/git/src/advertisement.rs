//! The first answer of both services: the references and what the server can do.

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use crate::{Offers, Options, References, Service, pktline};

/// The program's name as clients and servers tell it each other.
pub(crate) const AGENT: &str = concat!("agent=codecommit-local/", env!("CARGO_PKG_VERSION"));

/// Renders the whole body of an `info/refs` answer, with its `# service=` line.
///
/// The capabilities of the AWS offers are those of a capture of 2018.
pub fn advertise(service: Service, references: &References, options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    pktline::write(&mut out, format!("# service={}\n", service.name()).as_bytes());
    out.extend_from_slice(pktline::FLUSH);

    let mut capabilities = Some(capabilities(service, references, options.offers));
    let mut line = |id: ObjectId, name: &BStr, suffix: &str| {
        let mut text = BString::from(format!("{id} "));
        text.extend_from_slice(name);
        text.extend_from_slice(suffix.as_bytes());
        if let Some(capabilities) = capabilities.take() {
            text.push(0);
            text.extend_from_slice(capabilities.as_bytes());
        }
        text.push(b'\n');
        pktline::write(&mut out, &text);
    };
    let mut empty = true;
    if service == Service::UploadPack
        && let Some(branch) = references.default_branch()
    {
        line(branch.target, b"HEAD".as_bstr(), "");
    }
    for reference in &references.references {
        empty = false;
        line(reference.target, reference.name.as_bstr(), "");
        if service == Service::UploadPack
            && let Some(peeled) = reference.peeled
        {
            line(peeled, reference.name.as_bstr(), "^{}");
        }
    }
    if empty {
        line(ObjectId::null(gix::hash::Kind::Sha1), b"capabilities^{}".as_bstr(), "");
    }
    out.extend_from_slice(pktline::FLUSH);
    out
}

fn capabilities(service: Service, references: &References, offers: Offers) -> String {
    match (service, offers.modern) {
        (Service::UploadPack, false) => {
            "multi_ack_detailed shallow side-band-64k thin-pack allow-tip-sha1-in-want allow-reachable-sha1-in-want"
                .into()
        }
        (Service::ReceivePack, false) => "report-status delete-refs side-band-64k".into(),
        (Service::UploadPack, true) => {
            let symref = match (references.default_branch(), &references.head) {
                (Some(_), Some(head)) => format!(" symref=HEAD:{head}"),
                _ => String::new(),
            };
            format!(
                "multi_ack thin-pack side-band side-band-64k ofs-delta shallow no-progress include-tag \
                 multi_ack_detailed no-done allow-tip-sha1-in-want allow-reachable-sha1-in-want{symref} \
                 object-format=sha1 {AGENT}"
            )
        }
        (Service::ReceivePack, true) => {
            format!("report-status delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 {AGENT}")
        }
    }
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
        };
        let body = advertise(Service::UploadPack, &references, &Options::default());
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
        };
        let body = advertise(Service::UploadPack, &references, &Options::default());
        assert!(!body.contains_str("HEAD"));
        assert!(body.contains_str(format!("{} refs/tags/v1^{{}}\n", id('b'))));
        let body = advertise(Service::ReceivePack, &references, &Options::default());
        assert!(!body.contains_str("^{}"));
        assert!(body.contains_str("refs/tags/v1\0report-status delete-refs side-band-64k\n0000"));
    }

    #[test]
    fn an_empty_repository_still_tells_what_it_can() {
        let body = advertise(Service::ReceivePack, &References::default(), &Options::default());
        let null = id('0');
        assert!(body.contains_str(format!("{null} capabilities^{{}}\0report-status")));
    }
}
