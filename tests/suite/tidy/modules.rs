//! Imports between the modules of a crate: no circles.
//!
//! A module is a file. Imports between a module and its own parts do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tests::workspace;

/// Crates whose modules are checked.
const CRATES: [&str; 5] = ["codecommit", "git", "trail", "bucket", "policy"];

/// Imports that may close a circle, by crate: a pack caches its graph.
const ALLOWED: [(&str, &str, &str); 1] = [("git", "pack", "commit_graph")];

/// Source text of each module of a crate, by its path: `[]` for `lib.rs`, `["merge", "plan"]` for `merge/plan.rs`.
type Modules = BTreeMap<Vec<String>, String>;

#[test]
fn modules_do_not_import_each_other_in_circles() {
    for name in CRATES {
        let modules = modules(&workspace().join("crates").join(name).join("src"));
        let is_allowed = |module: &[String], other: &[String]| {
            let (from, to) = (module.join("/"), other.join("/"));
            ALLOWED.iter().any(|(krate, source, target)| *krate == name && *source == from && *target == to)
        };
        let imports: BTreeMap<_, BTreeSet<_>> = modules
            .keys()
            .map(|module| {
                let imported = imports(&modules, module).into_iter();
                (module, imported.filter(|other| !is_allowed(module, other)).collect())
            })
            .collect();
        if let Some(circle) = find_circle(&imports) {
            panic!("a circle of modules in {name}: {}", circle.join(" -> "));
        }
    }
}

fn modules(folder: &Path) -> Modules {
    let mut found = Modules::new();
    let mut folders = vec![(Vec::new(), folder.to_owned())];
    while let Some((parent, folder)) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder exists") {
            let path: PathBuf = entry.expect("the folder is readable").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("names are UTF-8");
            let module = if stem == "lib" { Vec::new() } else { [parent.as_slice(), &[stem.to_owned()]].concat() };
            if path.is_dir() {
                folders.push((module, path));
            } else {
                found.insert(module, fs::read_to_string(path).expect("the file is readable"));
            }
        }
    }
    found
}

/// Returns the modules that define what a module imports, except its own ancestors and descendants.
///
/// Inline test modules do not count.
fn imports<'m>(modules: &'m Modules, module: &[String]) -> BTreeSet<&'m Vec<String>> {
    let (text, _) = modules[module].split_once("#[cfg(test)]").unwrap_or((&modules[module], ""));
    let parent = &module[..module.len().saturating_sub(1)];
    let paths = uses(text).into_iter().filter_map(|path| {
        let (base, rest) = match path.split_first()? {
            (first, rest) if first == "crate" => (&[][..], rest),
            (first, rest) if first == "super" => (parent, rest),
            (first, rest) if first == "self" => (module, rest),
            _ => return None,
        };
        defined_in(modules, base, rest)
    });
    paths.filter(|other| !other.starts_with(module) && !module.starts_with(other)).collect()
}

/// Returns the module that defines the item at a path below `base`, behind re-exports.
fn defined_in<'m>(modules: &'m Modules, base: &[String], path: &[String]) -> Option<&'m Vec<String>> {
    let mut module = base.to_owned();
    for (at, name) in path.iter().enumerate() {
        let child = |name: &String| [module.as_slice(), std::slice::from_ref(name)].concat();
        if modules.contains_key(&child(name)) {
            module = child(name);
            continue;
        }
        let is_re_export = |path: &Vec<String>| match path.as_slice() {
            [first, .., last] if last == name => {
                first == "self" || first == "crate" || modules.contains_key(&child(first))
            }
            _ => false,
        };
        let Some(target) = uses(modules.get(&module)?).into_iter().find(is_re_export) else { break };
        let target = [target.as_slice(), &path[at + 1..]].concat();
        return match target[0].as_str() {
            "crate" => defined_in(modules, &[], &target[1..]),
            "self" => defined_in(modules, &module, &target[1..]),
            _ => defined_in(modules, &module, &target),
        };
    }
    modules.get_key_value(&module).map(|(module, _)| module)
}

/// Returns the paths of the `use` items of a source text, each as a list of names; renamed items under their old names.
fn uses(text: &str) -> Vec<Vec<String>> {
    let (mut paths, mut rest) = (Vec::new(), text);
    while let Some((line, after)) = rest.split_once('\n') {
        let item = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
            .iter()
            .find_map(|start| line.strip_prefix(start));
        rest = after;
        if let Some(item) = item {
            let begin = text.len() - after.len() - 1 - item.len();
            let tree = text[begin..].split(';').next().unwrap_or_default();
            paths.extend(expand(&[], &tree.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    paths
}

/// Expands a tree such as `crate::name::{self, RepositoryName}`.
fn expand(prefix: &[String], tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    if let Some((path, rest)) = tree.split_once('{') {
        let path = path.trim_end_matches("::").split("::").filter(|name| !name.is_empty()).map(str::to_owned);
        let prefix: Vec<String> = prefix.iter().cloned().chain(path).collect();
        let inside = rest.strip_suffix('}').unwrap_or(rest);
        return split_list(inside).into_iter().flat_map(|part| expand(&prefix, part)).collect();
    }
    let name = tree.split(" as ").next().unwrap_or_default();
    let names = name.split("::").filter(|name| !name.is_empty()).map(str::to_owned);
    let mut path: Vec<String> = prefix.iter().cloned().chain(names).collect();
    if path.len() > 1 && path.last().is_some_and(|last| last == "self" || last == "*") {
        path.pop();
    }
    vec![path]
}

/// Splits a list at the commas outside of braces.
fn split_list(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

/// Returns the modules of a circle, the first one repeated at the end.
fn find_circle(imports: &BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>>) -> Option<Vec<String>> {
    let mut left = imports.clone();
    // A module without imports among those that are left is in no circle.
    loop {
        let before = left.len();
        let names: BTreeSet<_> = left.keys().copied().collect();
        left.retain(|_, imported| imported.iter().any(|other| names.contains(other)));
        if left.len() == before {
            break;
        }
    }
    let mut path = vec![*left.keys().next()?];
    loop {
        let last = path[path.len() - 1];
        let next = left[last].iter().find(|other| left.contains_key(*other)).expect("each has an import that is left");
        if let Some(start) = path.iter().position(|module| module == next) {
            path.push(next);
            return Some(path[start..].iter().map(|module| module.join("/")).collect());
        }
        path.push(next);
    }
}
