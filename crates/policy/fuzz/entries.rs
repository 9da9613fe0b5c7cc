//! The entry point of the fuzzer; the test suite calls it with the stored corpus.
//!
//! **Invariant:** no input makes it panic, and a set of documents decides as the document alone.

use std::sync::Arc;

use policy::{Context, Document, PolicySet, Principal, Request, TrustPolicy};

/// Parses a document and evaluates it. Zero bytes separate the document, an action, a resource, and the keys and values of facts.
pub fn evaluate(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let text = parts.next().unwrap_or_default();
    let action = parts.next().unwrap_or("codecommit:GitPush");
    let resource = parts.next().unwrap_or("arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo");
    let mut facts = Context::default();
    facts.set("aws:username", "Mary").set("aws:SourceIp", "127.0.0.1").set_many("aws:TagKeys", ["a", "b"]);
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        facts.set(key, value);
    }
    let request = Request::new(action, resource, &facts);
    if let Ok(document) = Document::parse(text) {
        let decision = document.decide(&request);
        let missing = document.keys().missing_in(&facts).count();
        assert!(missing <= document.keys().iter().count());
        assert_eq!(PolicySet::new([Arc::new(document)]).decide(&request), decision);
    }
    if let Ok(policy) = TrustPolicy::parse(text) {
        let caller = Principal::Aws { account: "111111111111", names: &["arn:aws:iam::111111111111:user/Mary"] };
        policy.decide(&Request::new("sts:AssumeRole", resource, &facts), &caller);
        policy.decide(&request, &Principal::Service("codepipeline.amazonaws.com"));
    }
}
