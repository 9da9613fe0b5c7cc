//! Dialogues and stateless requests negotiate the same.

use proptest::prelude::*;

use super::*;
use crate::{Kind, Object, Repository};

/// A history: for each commit the distances to its parents, and its time.
type Plan = Vec<(Vec<usize>, u32)>;

fn plan() -> impl Strategy<Value = Plan> {
    proptest::collection::vec((proptest::collection::vec(1_usize..6, 0..3), 1_u32..1000), 2..24)
}

/// Rounds of haves: numbers of commits; those beyond the last commit are unknown to the server.
fn rounds() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(proptest::collection::vec(0_usize..40, 1..6), 1..6)
}

/// Adds a history to a repository; returns the ids of its commits.
fn build(repository: &Repository, plan: &Plan) -> Vec<ObjectId> {
    let tree = Object { kind: Kind::Tree, data: Vec::new() };
    let tree_id = tree.id().expect("a small object has an id");
    let (mut objects, mut ids) = (vec![tree], Vec::<ObjectId>::new());
    for (number, (distances, seconds)) in plan.iter().enumerate() {
        let mut parents: Vec<_> =
            distances.iter().filter_map(|distance| ids.get(number.checked_sub(*distance)?)).collect();
        parents.dedup();
        let parents = parents.into_iter().map(|id| format!("parent {id}\n")).collect::<Vec<_>>().concat();
        let person = format!("a <a@b> {seconds} +0000");
        let data = format!("tree {tree_id}\n{parents}author {person}\ncommitter {person}\n\ncommit {number}\n");
        let commit = Object { kind: Kind::Commit, data: data.into_bytes() };
        ids.push(commit.id().expect("a small object has an id"));
        objects.push(commit);
    }
    repository.add(&objects, &repository.use_objects(), false).expect("a fully connected set");
    ids
}

fn lines(out: &mut Packets) -> Vec<String> {
    let text = String::from_utf8(out.take_bytes()).expect("acknowledgements are text");
    text.split_terminator('\n').map(|line| line[4..].to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_dialogue_and_stateless_requests_find_the_same(
        plan in plan(),
        rounds in rounds(),
        wanted in proptest::collection::vec(0_usize..24, 1..4),
        detailed in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let commits = build(&repository, &plan);
        let wants: Vec<_> = wanted.iter().map(|number| commits[number % commits.len()]).collect();
        let id = |number: &usize| {
            let unknown = ObjectId::from_bytes_or_panic(&[u8::try_from(*number).expect("a small number"); 20]);
            commits.get(*number).copied().unwrap_or(unknown)
        };
        let rounds: Vec<Vec<_>> = rounds.iter().map(|round| round.iter().map(id).collect()).collect();
        let capabilities = [if detailed { "multi_ack_detailed" } else { "multi_ack" }.to_owned(), "no-done".to_owned()];

        let (mut reader, mut history) = (repository.reader(), History::default());
        let mut dialogue = Negotiation::new(&wants, &capabilities, true);
        let mut known = Vec::new();
        let mut v2 = FetchRequest { wants: wants.clone(), ..FetchRequest::default() };
        for round in &rounds {
            let mut out = Packets::default();
            for have in round {
                dialogue.have(&mut reader, &mut history, have, &mut out).expect("a sound repository");
            }
            let pack_follows = dialogue.end_round(&mut reader, &mut history, &mut out).expect("a sound repository");
            let sent = lines(&mut out);

            // The same round as a request that repeats the common objects, to a server without memory.
            let mut history = History::default();
            let mut request = Negotiation::new(&wants, &capabilities, true);
            for have in &known {
                request.have(&mut reader, &mut history, have, &mut out).expect("a sound repository");
            }
            out.take_bytes();
            for have in round {
                request.have(&mut reader, &mut history, have, &mut out).expect("a sound repository");
            }
            let follows = request.end_round(&mut reader, &mut history, &mut out).expect("a sound repository");
            prop_assert_eq!(&sent, &lines(&mut out));
            prop_assert_eq!(&dialogue.common.ids, &request.common.ids);

            known.extend(round.iter().filter(|id| reader.kind(id).expect("readable").is_some()));
            v2.haves.extend(round);
            let mut out = Packets::default();
            v2.end = RequestEnd::Done;
            let common = acknowledge(&mut reader, &mut History::default(), &v2, &mut out).expect("a sound repository");
            prop_assert_eq!(Some(&dialogue.common.ids), common.as_ref());
            prop_assert_eq!(pack_follows, follows);
            if pack_follows {
                break;
            }
        }
    }
}
