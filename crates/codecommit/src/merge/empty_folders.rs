//! Folders that a merge leaves without a file.

use std::collections::HashMap;

use git::{BString, Edits, Mode, Object, ObjectId, Reader};

use crate::Exception;
use crate::commit::KEEP;

/// Finds the folders of `before` that `after` lacks; returns the edits that keep each of them, and the empty file to add.
///
/// Fails if more than `items_max` folders need to be compared.
pub(super) fn keep(
    reader: &mut Reader,
    before: ObjectId,
    after: ObjectId,
    items_max: usize,
) -> Result<(Edits, Option<Object>), Exception> {
    let file = Object::blob(Vec::new());
    let version = (Mode::File, file.id()?);
    let mut edits = Edits::new();
    let mut pending = vec![(BString::default(), before, Some(after))];
    let mut count = 0;
    while let Some((path, before, after)) = pending.pop() {
        let after_entries = after.map(|after| reader.tree(&after)).transpose()?.unwrap_or_default();
        let after_entries: HashMap<_, _> =
            after_entries.into_iter().map(|entry| (entry.name, (entry.mode, entry.id))).collect();
        let mut had_file = false;
        for entry in reader.tree(&before)? {
            had_file |= entry.mode != Mode::Tree;
            let kept = after_entries.get(&entry.name);
            if entry.mode == Mode::Tree && kept.is_none_or(|(mode, id)| *mode == Mode::Tree && *id != entry.id) {
                count += 1;
                if count > items_max {
                    return Err(Exception::MaximumItemsToCompareExceeded { limit: items_max });
                }
                let mut path = path.clone();
                path.extend_from_slice(&entry.name);
                path.push(b'/');
                pending.push((path, entry.id, kept.map(|(_, id)| *id)));
            }
        }
        if after.is_none() && had_file {
            let mut path = path;
            path.extend_from_slice(KEEP.as_bytes());
            edits.insert(path, Some(version));
        }
    }
    let file = Some(file).filter(|_| !edits.is_empty());
    Ok((edits, file))
}
