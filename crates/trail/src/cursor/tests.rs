use store::{Durability, Store};

use super::*;
use crate::schema;

fn store(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", schema::STEPS).expect("the store is new");
    store
}

/// Inserts records with the given times and sizes.
fn insert(store: &Store, records: &[(i64, usize)]) {
    let records = records.to_vec();
    let inserted: Result<(), Error> = store.write(move |transaction| {
        for (time, bytes) in records {
            transaction.execute(
                "INSERT INTO events (event_id, account, region, time, name, record) VALUES ('id', '', '', ?1, '', ?2)",
                &[time.into(), (&"x".repeat(bytes)).into()],
            )?;
        }
        Ok(())
    });
    inserted.expect("the store works");
}

#[test]
fn pages_follow_each_other_and_are_short_if_records_are_large() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    insert(&store, &[(0, 10); 20]);
    insert(&store, &[(0, 256 << 10); 20]);
    let page = |cursor: &str, limit| {
        store.read(|transaction| records_after(transaction, cursor, limit)).expect("the store works")
    };
    let seqs = |page: &RecordPage| page.records.iter().map(|record| record.seq).collect::<Vec<_>>();
    assert_eq!(seqs(&page("", 3)), [1, 2, 3]);
    assert_eq!(seqs(&page("3:id", 3)), [4, 5, 6]);
    let long = page("3:id", 100);
    assert!((20..=24).contains(&long.records.len()), "{}", long.records.len());
    assert_eq!(long.cursor, long.records.last().expect("there are records").cursor);
    assert_eq!(page("40:id", 100), RecordPage { cursor: "40:id".to_owned(), records: vec![] });
    for unknown in ["41:id", "1:other", "nothing", "-5:id"] {
        assert_eq!(seqs(&page(unknown, 1)), [1], "{unknown}");
    }
}

#[test]
fn a_cursor_before_a_time_skips_no_record_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    let before = |time| {
        let time = Timestamp::from_millis(time);
        store.read(|transaction| before(transaction, time)).expect("the store works")
    };
    let before_last = |count| store.read(|transaction| before_last(transaction, count)).expect("the store works");
    assert_eq!((before(0), before_last(0)), (String::new(), String::new()));
    // A long call is committed after a later one.
    insert(&store, &[(1_000, 1), (3_000, 1), (2_000, 1), (4_000, 1)]);
    for (time, cursor) in [(0, ""), (1_000, ""), (1_001, "1:id"), (2_500, "1:id"), (3_001, "3:id"), (5_000, "4:id")] {
        assert_eq!(before(time), cursor, "{time}");
    }
    assert_eq!([0, 1, 4, 9].map(before_last), ["4:id", "3:id", "", ""]);
}
