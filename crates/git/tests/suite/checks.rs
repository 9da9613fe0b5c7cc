//! Checks of pushed objects, compared with `git receive-pack` and `receive.fsckObjects`.

mod pair;

use git::{Fsck, Kind, ObjectId};

use crate::{
    bench::run,
    craft::{self, PackBuilder, PackEntry},
};
use pair::{FsckPair, tree_of};

const PERSON: &str = "A <a@b> 1 +0000";

/// Returns a blob and a tree that both repositories have after the first push.
fn known() -> (String, String) {
    let file = craft::id(Kind::Blob, b"first\n");
    let tree = craft::tree(&file);
    (file, craft::id(Kind::Tree, &tree))
}

#[test]
fn commits_are_checked_as_by_git() {
    let mut pair = FsckPair::new();
    pair.push("first", &[]);
    let tree = format!("tree {}\n", known().1);
    let people = format!("author {PERSON}\ncommitter {PERSON}");
    for text in [
        format!("{tree}author A\0 <a@b> 1 +0000\ncommitter {PERSON}\n\nm"),
        format!("{tree}{people}"),
        format!("{tree}{people}\n"),
        format!("{people}\n\nm"),
        format!("tree abc\n{people}\n\nm"),
        format!("{}{people}\n\nm", tree.to_uppercase().replace("TREE", "tree")),
        format!("{tree}parent abc\n{people}\n\nm"),
        format!("{tree}committer {PERSON}\n\nm"),
        format!("{tree}author {PERSON}\n{people}\n\nm"),
        format!("{tree}author {PERSON}\n\nm"),
        format!("{tree}{people}\ncommitter {PERSON}\n\nm"),
        format!("{tree}{people}\n\nm\0"),
        format!("{tree}{people}\nencoding x\ngpgsig a\n b\n\nm"),
    ] {
        pair.push(&text, &[(PackEntry::Commit, text.as_bytes())]);
    }
    for person in
        "<a@b> 1 +0000| <a@b> 1 +0000|A>B <a@b> 1 +0000|A 1 +0000|A<a@b> 1 +0000|A <a<b> 1 +0000|A <a@b 1 +0000|\
            A <a@b>1 +0000|A <a@b> +0000|A <a@b> x +0000|A <a@b>  1 +0000|A <a@b> 01 +0000|A <a@b> 00 +0000|\
            A <a@b> 0 +0000|A <a@b> 99999999999999999999 +0000|A <a@b> 9223372036854775807 +0000|\
            A <a@b> 9223372036854775808 +0000|A <a@b> 1+0000|A <a@b> 1 0000|A <a@b> 1 +000|A <a@b> 1 +00000|\
            A <a@b> 1 +0000 |A <a@b> -1 +0000|A <> 1 +0000||A|A <a@b>|A <a@b> |A <a@b> 1|A <a@b> 1 |\
            A <a@b>\t1 +0000|A <a@b> \t1 +0000|A <a@b> 1 x0000"
            .split('|')
    {
        let text = format!("{tree}author {person}\ncommitter {PERSON}\n\nm");
        pair.push(person, &[(PackEntry::Commit, text.as_bytes())]);
    }
}

#[test]
fn tags_are_checked_as_by_git() {
    let mut pair = FsckPair::new();
    pair.push("first", &[]);
    let object = format!("object {}\n", known().1);
    let head = format!("{object}type tree\ntag v\n");
    for text in [
        format!("{head}tagger {PERSON}\n\nm\0"),
        format!("{head}\nm"),
        head.clone(),
        "type tree\ntag v\n\nm".to_owned(),
        "object abc\ntype tree\ntag v\n\nm".to_owned(),
        format!("{object}tag v\n\nm"),
        format!("{object}type tree"),
        format!("{object}type foo\ntag v\n\nm"),
        format!("{object}type tree\ntagger {PERSON}\n\nm"),
        format!("{object}type tree\ntag v"),
        format!("{object}type tree\ntag a..b\ntagger {PERSON}\n\nm"),
        format!("{object}type tree\ntag \ntagger {PERSON}\n\nm"),
        format!("{head}tagger {PERSON}\nfoo bar\n\nm"),
        format!("{head}tagger A <a> x\n\nm"),
        format!("{head}tagger A\0 <a> 1 +0000\n\nm"),
        format!("{head}tagger {PERSON}"),
        format!("{head}gpgsig x\n\nm"),
    ] {
        pair.push(&text, &[(PackEntry::Tag, text.as_bytes())]);
    }
}

#[test]
fn trees_are_checked_as_by_git() {
    let mut pair = FsckPair::new();
    pair.push("first", &[]);
    let (file, tree) = known();
    let null = craft::null();
    for mode in "100644|100755|120000|0100644|100664|100600|777|0|644|100000|1000644|77777777777777|160000|16|100648|"
        .split('|')
    {
        pair.tree(mode, &[(mode, b"a", &file)]);
    }
    pair.tree("a padded tree", &[("040000", b"a", &tree)]);
    pair.tree("null", &[("100644", b"a", &null)]);
    pair.tree("null submodule", &[("160000", b"a", &null)]);
    let long = [b"x".repeat(4096), b"x".repeat(4097)];
    let mut names: Vec<&[u8]> = long.iter().map(Vec::as_slice).collect();
    for name in "|a/b|.|..|...|.git|.GIT|.git.|.git |.git . |.git...:x|.git:x|git~1|GIT~1|git~1 .|git~2|.gitx|.git\\x|\
            a\\.git|a\\git~1\\b|\\.git|.g\u{200c}it|\u{200c}.git|.git\u{200d}|\u{feff}.git|.gi\u{2069}t|\
            .git\u{200c}x|.\u{200c}|a:b|a\\..\\b|GIT|~"
        .split('|')
    {
        names.push(name.as_bytes());
    }
    names.extend([&b".git\xff"[..], b".gi\xfft", b".git\xe2\x80", b"\xff.git"]);
    for name in names {
        pair.tree(&String::from_utf8_lossy(&name[..name.len().min(20)]), &[("100644", name, &file)]);
    }
    let blob = |name: &'static str| ("100644", name.as_bytes(), file.as_str());
    let folder = |name: &'static str| ("40000", name.as_bytes(), tree.as_str());
    for entries in [
        &[blob("a"), blob("a")][..],
        &[blob("b"), blob("a")],
        &[blob("ab"), blob("a")],
        &[blob("a"), blob("a.b"), folder("a")],
        &[blob("a"), blob("a.b"), blob("a.b.c"), folder("a.b")],
        &[blob("a"), blob("a-"), blob("a.b"), folder("a"), blob("a0")],
        &[blob("a"), folder("a")],
        &[folder("a"), folder("a")],
        &[folder("a"), blob("a")],
        &[blob("a.b"), folder("a")],
        &[folder("a"), blob("a.b")],
        &[("0100644", b"..", &file), blob(".")],
        &[("160000", b"a", &file), blob("a")],
    ] {
        pair.tree(&format!("{entries:?}"), entries);
    }
    for data in [&b"100644 a\0abc"[..], b"100644 a", b"100644", b"x", b""] {
        pair.push("cut", &[(PackEntry::Tree, data)]);
    }
}

#[test]
fn severities_have_the_same_effect_as_in_git() {
    let mut pair = FsckPair::new();
    pair.push("first", &[]);
    let file = known().0;
    let dot: &[(&str, &[u8], &str)] = &[("100644", b".", &file)];
    pair.set("hasDot", "warn");
    pair.tree("warned", dot);
    pair.set("hasdot", "ignore");
    pair.tree("ignored", dot);
    pair.set("badFilemode", "error");
    pair.tree("raised", &[("100664", b"a", &file)]);
    let tree = format!("tree {}\n", known().1);
    pair.set("missingNameBeforeEmail", "warn");
    for person in ["<a@b> 1 +0000", "A <a@b> x"] {
        let text = format!("{tree}author <a@b> 1 +0000\ncommitter {person}\n\nm");
        pair.push(person, &[(PackEntry::Commit, text.as_bytes())]);
    }
    // Even without checks, an object is refused if its references cannot be parsed.
    pair.options.fsck = Fsck::off();
    let pack = {
        let mut pack = PackBuilder::new();
        pack.add(PackEntry::Tree, b"100644 file\0short");
        pack.finish()
    };
    let request = craft::push_request("refs/heads/x", &file, "report-status side-band-64k", &pack);
    let refusal = pair.ours(&request).expect_err("a malformed tree").expect("a message");
    assert!(refusal.contains("is malformed: a tree entry without an id"), "{refusal}");
}

#[test]
fn objects_can_be_skipped() {
    let mut pair = FsckPair::new();
    let bad = tree_of(&[("100644", b".", &craft::id(Kind::Blob, b"skipped\n"))]);
    let id = craft::id(Kind::Tree, &bad);
    let list = pair.folder.path().join("list");
    std::fs::write(&list, format!("{id}\n")).expect("a writable folder");
    let theirs = pair.folder.path().join("theirs");
    run(&theirs, &["config", "receive.fsck.skipList", list.to_str().expect("a plain path")]);
    pair.options.fsck.skip([ObjectId::from_hex(id.as_bytes()).expect("forty digits")]);
    pair.push("skipped", &[(PackEntry::Tree, &bad)]);
}

#[test]
fn gitmodules_files_are_checked_as_by_git() {
    let mut pair = FsckPair::new();
    pair.push("first", &[]);
    let (file, tree) = known();
    let mut modules = |text: &str| pair.file(text, "100644", b".gitmodules", text.as_bytes());
    for name in "..|../a|a/../b|a/..|a\\\\..\\\\b|..\\\\a|a..b|a/..b|...|/|-x||.|a/../|\\../a".split('|') {
        modules(&format!("[submodule \"{name}\"]\n\tfoo = x\n"));
    }
    for url in "-x|x|../x|..//x|../:x|../../:x|./:x|../a/../:x|./..//x|http://x|https://|https:///x|http://h/a%0ab|\
            http://h%0a/|http::h|https::https://h/x|http::https://h%0a|ext::sh|file:///x|git@h:x|ftp://h|ftps://|\
            http://h:0/|http://h:99999/|http://h:80x/|http://h:/|http://h:65535/|http://h:65536/|http://h:080/|\
            http://[::1]/x|http://[::1|http://u:p@h/|http://h/../..|http://h/%2e%2e|http://h/a b|http://h/%zz|\
            http://H_x/|http://a..b/|./a%0ab|a%0ab|http://h?x|http://h/?%0a|http://h#%0a|http://u%0a@h/|\
            HTTP://h%0a/x|..\\\\:x|..\\\\\\\\x|http://*.h/|http://h/.//..//..|http://h\\\\x/||http://\u{e9}/|\
            http://h/\u{e9}|http://@h/|http://:80/|http://h:+8/|http://h/a%00|http://h/x/..|http://h/.."
        .split('|')
    {
        modules(&format!("[submodule \"a\"]\n\turl = \"{url}\"\n"));
    }
    for text in "[submodule]\n\turl = -x\n|[submodule.Foo]\n\turl = -x\n|[submodule...]\n\turl = -x\n|\
            [SUBMODULE \"a\"]\n\tURL = -x\n|[submodules \"a\"]\n\turl = -x\n|\
            [submodule \"a\"]\n\turl\n\tupdate\n\tpath\n|[submodule \"../a\"]\n|[submodule \"a\"]\n\tpath = -x\n|\
            [submodule \"a\"]\n\tupdate = !x\n|[submodule \"a\"]\n\tupdate = \"!\"   \n|\
            [submodule \"a\"]\n\tupdate = foo\n|[submodule \"a\"\n|x = 1\n|[submodule \"../a\"]\n\turl = x\n[\n|\
            [\n[submodule \"../a\"]\n\turl = x\n|[submodule \"a\"]\r\n\turl = -x\r\n|\
            \u{feff}[submodule \"a\"]\n\turl = -x\n|[submodule \"a\"]\n\turl = \\\n-x\n|\
            [submodule \"a\"]\n\turl = x\0y\n|# x\n; y\n[submodule \"a\"] # z\n url = -x ; foo\n|\
            [submodule \"a\"] url = -x|[submodule \"a\"]\n\turl = \"-x\n|[submodule \"a\"]\n\turl = \\q\n|\
            [submodule \"a\nb\"]\n\turl = -x\n||[submodule \"a\"]\n\tpath = \" -x\"\n"
        .split('|')
    {
        modules(text);
    }
    pair.tree("a folder", &[("40000", b".gitmodules", &tree)]);
    pair.tree("a submodule", &[("160000", b".gitmodules", &tree)]);
    pair.tree("nothing", &[("160000", b".gitmodules", &"1".repeat(40))]);
    pair.tree("an existing blob", &[("100644", b".gitmodules", &file)]);
}

#[test]
fn names_of_special_files_are_recognized_as_by_git() {
    let mut pair = FsckPair::new();
    pair.push("first", &[]);
    for name in ".gitmodules|.GITMODULES|.gitmodules |.gitmodules.|.gitmodules:x|gitmod~1|GITMOD~4|gitmod~5|gi7eba~1|\
            GI7EBA~9|gi7eb~10|gi7~1234|gi~00001|gi~10000|gi7eba~0|gi7eba~12|g~123456|~1234567|gi7ebab~|gi7eba~|\
            .gitmod\u{200c}ules|a\\.gitmodules|\\gitmod~1|.gitmodules\\x|.gitmodulesx|gi7eba~1 .|GI7EBA~1:a|\
            .gitmodules::$DATA|gi7eba~1x|.gitmodules\u{ff}"
        .split('|')
    {
        pair.file(name, "100644", name.as_bytes(), b"[submodule \"a\"]\n\turl = -x\n");
    }
    let long = [b"x".repeat(2047), b"\n".to_vec()].concat();
    let longer = [b"x".repeat(2048), b"\n".to_vec()].concat();
    for name in ["gitatt~1", "gi7d29~1", "a\\.gitattributes", ".GitAttributes", ".gitattributes"] {
        pair.file(name, "100644", name.as_bytes(), &longer);
    }
    pair.file("a line that fits", "100644", b".gitattributes", &long);
    pair.file("no line end", "100644", b".gitattributes", &b"x".repeat(3000));
    pair.file("a zero byte", "100644", b".gitattributes", &[&b"x\0"[..], &longer].concat());
    for name in ".gitmodules|.gitattributes|.gitignore|.mailmap|MAILMA~1|maba30~1|gi250a~1|.Mailmap |mailmap".split('|')
    {
        pair.file(name, "120000", name.as_bytes(), b"target");
    }
}
