//! Faults of TOML: their line, and what to write instead.

/// Similarity, from 0 to 1, of an unknown key and a known one that is suggested for it.
const SIMILARITY_MIN: f64 = 0.8;

/// Returns the line of a fault, and its description.
pub(super) fn describe(text: &str, error: &toml::de::Error) -> (usize, String) {
    let start = error.span().map_or(0, |span| span.start);
    let message = error.message();
    (line_of(text, start), unknown_key(message).unwrap_or_else(|| message.to_owned()))
}

/// Returns the line of a place in a text; the first is 1.
pub(super) fn line_of(text: &str, start: usize) -> usize {
    text.get(..start).unwrap_or_default().matches('\n').count() + 1
}

/// Rewrites serde's message for an unknown key, which lists all known ones, into a suggestion.
fn unknown_key(message: &str) -> Option<String> {
    let (name, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let similarity = |known: &str| strsim::jaro_winkler(name, known);
    let best = known.iter().copied().max_by(|one, other| similarity(one).total_cmp(&similarity(other)));
    let advice = match best {
        Some(best) if similarity(best) >= SIMILARITY_MIN => format!("did you mean `{best}`?"),
        _ => format!("write one of {}", known.join(", ")),
    };
    Some(format!("unknown key `{name}`; {advice}"))
}
