//! CloudTrail's size limits of records, in bytes of JSON.
//!
//! CloudTrail leaves out `requestParameters` and `responseElements` that are too large. Members about the caller and the resources are
//! shortened instead, and so are the references of a push, so that most of the record stays.
//!
//! **Invariant:** no record is larger than [`RECORD_BYTES_MAX`], for any request.

use serde_json::Value;

use super::Record;

/// Maximum size of a record.
pub(super) const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Maximum size of `requestParameters` and of `responseElements`.
const ELEMENTS_BYTES_MAX: usize = 100 * 1024;

/// Maximum size of `additionalEventData`; here `userIdentity` and all `resources` have the same limit.
const DATA_BYTES_MAX: usize = 28 * 1024;

/// Maximum size of `userAgent`, `errorCode`, `errorMessage`, `requestID` and the name of the host.
const TEXT_BYTES_MAX: usize = 1024;

/// Maximum size of the JSON escape of one byte of a text.
const ESCAPE_BYTES_MAX: usize = 6;

/// Cuts a text at CloudTrail's limit, never inside a character.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// Writes a record as one line that ends in a newline, and applies the limits that it exceeds.
pub(super) fn line(mut record: Record<'_>) -> String {
    let line = write(&record);
    // A record below the smallest limit exceeds none.
    if line.len() <= DATA_BYTES_MAX {
        return line;
    }
    for elements in [&mut record.request_parameters, &mut record.response_elements] {
        if size(elements) > ELEMENTS_BYTES_MAX {
            leave_out(elements, ELEMENTS_BYTES_MAX);
        }
    }
    for part in [&mut record.user_identity, &mut record.resources, &mut record.additional_event_data] {
        shrink(part, DATA_BYTES_MAX);
    }
    let line = write(&record);
    let Some(excess) = line.len().checked_sub(RECORD_BYTES_MAX + 1).filter(|excess| *excess > 0) else { return line };
    // With all other members at their limits, the record fits without the response elements.
    let left = size(&record.response_elements).saturating_sub(excess);
    leave_out(&mut record.response_elements, left);
    write(&record)
}

fn write(record: &Record<'_>) -> String {
    let mut line = serde_json::to_string(record).expect("a record's map keys are strings");
    line.push('\n');
    line
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

/// Leaves out elements; of the references of a push, keeps as many as fit.
fn leave_out(elements: &mut Value, bytes_max: usize) {
    if elements.get("references").is_some_and(Value::is_array) {
        shrink(elements, bytes_max);
    } else {
        *elements = Value::Null;
    }
}

/// Shortens a value until its JSON fits: texts and lists at their ends, objects at their longest members.
fn shrink(value: &mut Value, bytes_max: usize) {
    if size(value) <= bytes_max {
        return;
    }
    match value {
        Value::String(text) => text.truncate(text.floor_char_boundary(bytes_max.saturating_sub(2) / ESCAPE_BYTES_MAX)),
        Value::Array(items) => {
            let sizes = items.iter().map(size);
            items.truncate(count_that_fits(sizes, bytes_max));
        }
        Value::Object(members) => {
            let names: usize = members.keys().map(|name| name_size(name)).sum();
            let share = share(members.values().map(size).collect(), bytes_max.saturating_sub(names + 2));
            members.values_mut().for_each(|member| shrink(member, share));
            let sizes = members.iter().map(|(name, member)| name_size(name) + size(member));
            let mut left = count_that_fits(sizes, bytes_max);
            members.retain(|_, _| left.checked_sub(1).map(|rest| left = rest).is_some());
        }
        _ => {}
    }
}

/// Returns the size of a member's name, with the colon and the comma.
fn name_size(name: &str) -> usize {
    serde_json::to_string(name).map_or(0, |name| name.len()) + 2
}

/// Returns how many of the first items fit between brackets, with a comma after each.
fn count_that_fits(sizes: impl Iterator<Item = usize>, bytes_max: usize) -> usize {
    let ends = sizes.scan(2, |end, size| {
        *end += size + 1;
        Some(*end)
    });
    ends.take_while(|end| *end <= bytes_max).count()
}

/// Returns the size limit of each part with which all parts fit together; parts below it stay as they are.
fn share(mut sizes: Vec<usize>, bytes_max: usize) -> usize {
    sizes.sort_unstable();
    let mut left = bytes_max;
    for (position, size) in sizes.iter().enumerate() {
        let share = left / (sizes.len() - position);
        if *size > share {
            return share;
        }
        left -= size;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shrunk(mut value: Value, bytes_max: usize) -> Value {
        shrink(&mut value, bytes_max);
        assert!(size(&value) <= bytes_max.max(2), "{value} has more than {bytes_max} bytes");
        value
    }

    #[test]
    fn small_values_stay_and_the_longest_parts_are_shortened() {
        let value = json!({ "protocol": "HTTP", "capabilities": ["a", "b"], "name": "x".repeat(100) });
        assert_eq!(shrunk(value.clone(), 1_000), value);
        let value = json!({ "protocol": "HTTP", "capabilities": vec!["side-band-64k"; 1_000], "name": "MyDemoRepo" });
        let short = shrunk(value, 1_000);
        assert_eq!((&short["protocol"], &short["name"]), (&json!("HTTP"), &json!("MyDemoRepo")));
        assert!((40..1_000).contains(&short["capabilities"].as_array().expect("the member keeps its type").len()));
        let text = shrunk(json!("\u{1b}".repeat(1_000)), 602);
        assert_eq!(text, json!("\u{1b}".repeat(100)));
        let many: serde_json::Map<String, Value> = (0..1_000).map(|at| (format!("member-{at}"), json!(at))).collect();
        assert!(
            shrunk(Value::Object(many), 500).as_object().expect("the member keeps its type").contains_key("member-0")
        );
        assert_eq!(shrunk(json!([vec!["x"; 100], "y"]), 50), json!([]));
    }

    #[test]
    fn as_many_references_of_a_push_are_kept_as_fit() {
        let reference = |at| json!({ "commit": "0".repeat(40), "ref": format!("refs/heads/branch-{at:04}") });
        let mut elements = json!({ "references": (0..4_000).map(reference).collect::<Vec<_>>() });
        leave_out(&mut elements, ELEMENTS_BYTES_MAX);
        let bytes = size(&elements);
        assert!((ELEMENTS_BYTES_MAX - 200..=ELEMENTS_BYTES_MAX).contains(&bytes), "{bytes}");
        assert_eq!(elements["references"][7], reference(7));
        let mut other = json!({ "files": vec!["x"; 100_000] });
        leave_out(&mut other, ELEMENTS_BYTES_MAX);
        assert_eq!(other, Value::Null);
    }
}
