//! The table of languages.

use super::language::Position::{AfterSpace, Anywhere, LineStart};
use super::language::{BASE, Capitals, Grammar, Language, comment, long, long_verbatim, quoted, verbatim};

/// All languages.
pub(super) static ALL: &[&Language] = &[
    &RUST,
    &PYTHON,
    &JAVASCRIPT,
    &JSON,
    &YAML,
    &TOML,
    &JAVA,
    &KOTLIN,
    &C,
    &C_SHARP,
    &GO,
    &RUBY,
    &PHP,
    &SHELL,
    &SQL,
    &CSS,
    &DOCKERFILE,
    &MAKEFILE,
    &HCL,
    &SWIFT,
    &SCALA,
    &LUA,
    &INI,
    &POWERSHELL,
    &MARKUP,
    &MARKDOWN,
];

/// Rust.
static RUST: Language = Language {
    extensions: "rs",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[long("\"", "\"")],
    keywords: "as async await box break const continue crate dyn else enum extern false fn for gen if impl in let loop \
        macro_rules match mod move mut pub ref return self static struct super trait true try type union unsafe use \
        where while yield",
    types: "Self bool char f32 f64 i128 i16 i32 i64 i8 isize str u128 u16 u32 u64 u8 usize",
    capitals: Capitals::Types,
    is_rust: true,
    ..BASE
};

/// Python.
static PYTHON: Language = Language {
    extensions: "py pyi pyw",
    programs: "python",
    line_comments: &[comment("#", Anywhere)],
    strings: &[long("\"\"\"", "\"\"\""), long("'''", "'''"), quoted("\""), quoted("'")],
    keywords: "False None True and as assert async await break case class continue def del elif else except finally for from \
        global if import in is lambda match nonlocal not or pass raise return self try while with yield",
    types: "bool bytes dict float frozenset int list object set str tuple type",
    capitals: Capitals::Types,
    annotation: Some(b'@'),
    ..BASE
};

/// JavaScript and TypeScript.
pub(super) static JAVASCRIPT: Language = Language {
    extensions: "cjs cts js jsx mjs mts ts tsx",
    programs: "bun deno node ts-node",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[quoted("\""), quoted("'"), long("`", "`")],
    keywords: "abstract as async await break case catch class const continue debugger declare default delete do else enum \
        export extends false finally for from function get if implements import in instanceof interface keyof let \
        namespace new null of private protected public readonly return satisfies set static super switch this throw \
        true try type typeof undefined var void while with yield",
    types: "any bigint boolean never number object string symbol unknown",
    capitals: Capitals::Types,
    word_characters: "$",
    annotation: Some(b'@'),
    ..BASE
};

/// JSON.
static JSON: Language = Language {
    names: "package-lock.json",
    extensions: "json json5 jsonc jsonl ndjson webmanifest",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[quoted("\"")],
    keywords: "false null true",
    key_separator: Some(b':'),
    ..BASE
};

/// YAML.
static YAML: Language = Language {
    extensions: "yaml yml",
    line_comments: &[comment("#", AfterSpace)],
    strings: &[long("\"", "\""), long_verbatim("'", "'")],
    keywords: "False No Off On True Yes false no null off on true yes",
    word_characters: "-.",
    key_separator: Some(b':'),
    ..BASE
};

/// TOML.
static TOML: Language = Language {
    names: "cargo.lock poetry.lock",
    extensions: "toml",
    line_comments: &[comment("#", Anywhere)],
    strings: &[long("\"\"\"", "\"\"\""), long_verbatim("'''", "'''"), quoted("\""), verbatim("'", "'")],
    keywords: "false inf nan true",
    word_characters: "-.",
    key_separator: Some(b'='),
    has_sections: true,
    ..BASE
};

/// Java.
static JAVA: Language = Language {
    extensions: "java",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[long("\"\"\"", "\"\"\""), quoted("\""), quoted("'")],
    keywords: "abstract assert break case catch class const continue default do else enum extends false final finally for \
        goto if implements import instanceof interface module native new null package permits private protected public \
        record return sealed static strictfp super switch synchronized this throw throws transient true try var \
        volatile while yield",
    types: "boolean byte char double float int long short void",
    capitals: Capitals::Types,
    annotation: Some(b'@'),
    ..BASE
};

/// Kotlin.
static KOTLIN: Language = Language {
    extensions: "kt kts",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[long_verbatim("\"\"\"", "\"\"\""), quoted("\""), quoted("'")],
    keywords: "abstract actual annotation as break by catch class companion const constructor continue crossinline data do \
        else enum expect external false final finally for fun get if import in infix init inline inner interface \
        internal is lateinit noinline null object open operator out override package private protected public reified \
        return sealed set super suspend tailrec this throw true try typealias val var vararg when where while",
    capitals: Capitals::Types,
    annotation: Some(b'@'),
    ..BASE
};

/// C and C++.
static C: Language = Language {
    extensions: "c cc cpp cxx h hh hpp hxx ino m mm",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[quoted("\""), quoted("'")],
    keywords: "NULL alignas alignof and asm break case catch class co_await co_return co_yield concept const const_cast \
        consteval constexpr constinit continue decltype default delete do dynamic_cast else enum explicit export \
        extern false final for friend goto if import inline module mutable namespace new noexcept not nullptr operator \
        or override private protected public register reinterpret_cast requires restrict return sizeof static \
        static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename \
        union using virtual volatile while",
    types: "auto bool char char16_t char32_t char8_t double float int int16_t int32_t int64_t int8_t intptr_t long \
        ptrdiff_t short signed size_t ssize_t uint16_t uint32_t uint64_t uint8_t uintptr_t unsigned void wchar_t",
    annotation: Some(b'#'),
    ..BASE
};

/// C#.
static C_SHARP: Language = Language {
    extensions: "cs csx",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[long_verbatim("\"\"\"", "\"\"\""), long_verbatim("@\"", "\""), quoted("\""), quoted("'")],
    keywords: "abstract as async await base break case catch checked class const continue default delegate do else enum event \
        explicit extern false finally fixed for foreach get goto if implicit in init interface internal is lock \
        namespace new null operator out override params partial private protected public readonly record ref required \
        return sealed set sizeof stackalloc static struct switch this throw true try typeof unchecked unsafe using \
        value var virtual void volatile when where while with yield",
    types: "bool byte char decimal double dynamic float int long nint nuint object sbyte short string uint ulong ushort",
    capitals: Capitals::Types,
    annotation: Some(b'#'),
    ..BASE
};

/// Go.
static GO: Language = Language {
    names: "go.mod",
    extensions: "go",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[quoted("\""), quoted("'"), long_verbatim("`", "`")],
    keywords: "break case chan const continue default defer else fallthrough false for func go goto if import interface iota \
        map module nil package range require return select struct switch true type var",
    types: "any bool byte comparable complex128 complex64 error float32 float64 int int16 int32 int64 int8 rune string \
        uint uint16 uint32 uint64 uint8 uintptr",
    ..BASE
};

/// Ruby.
static RUBY: Language = Language {
    names: "gemfile rakefile vagrantfile",
    extensions: "gemspec rake rb ru",
    programs: "ruby",
    line_comments: &[comment("#", AfterSpace)],
    block_comments: &[("=begin\n", "\n=end")],
    strings: &[long("\"", "\""), long("'", "'")],
    keywords: "BEGIN END alias and attr_accessor attr_reader attr_writer begin break case class def defined do else elsif end \
        ensure extend false for if in include module next nil not or private protected public raise redo require \
        require_relative rescue retry return self super then true undef unless until when while yield",
    capitals: Capitals::Types,
    word_characters: "?!",
    annotation: Some(b'@'),
    ..BASE
};

/// PHP.
static PHP: Language = Language {
    extensions: "php phtml",
    programs: "php",
    line_comments: &[comment("//", Anywhere), comment("#", AfterSpace)],
    block_comments: &[("/*", "*/")],
    strings: &[long("\"", "\""), long("'", "'")],
    keywords: "abstract and array as break callable case catch class clone const continue declare default do echo else elseif \
        empty endfor endforeach endif endswitch endwhile enum extends false final finally fn for foreach function \
        global goto if implements include include_once instanceof insteadof interface isset list match namespace new \
        null or print private protected public readonly require require_once return static switch throw trait true try \
        unset use var while xor yield",
    types: "bool float int iterable mixed never object self string void",
    capitals: Capitals::Types,
    sigil: Some(b'$'),
    ..BASE
};

/// Shells.
static SHELL: Language = Language {
    names: ".bash_profile .bashrc .envrc .profile .zshrc",
    extensions: "bash bats env fish ksh sh zsh",
    programs: "ash bash bats dash fish ksh sh zsh",
    line_comments: &[comment("#", AfterSpace)],
    strings: &[long("\"", "\""), long_verbatim("'", "'")],
    keywords: "alias break case cd continue declare do done echo elif else esac eval exec exit export false fi for function \
        if in local printf read readonly return select set shift source test then trap true typeset unset until wait \
        while",
    word_characters: "-",
    sigil: Some(b'$'),
    ..BASE
};

/// SQL.
static SQL: Language = Language {
    extensions: "ddl dml psql sql",
    line_comments: &[comment("--", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[long_verbatim("'", "'"), verbatim("\"", "\""), verbatim("`", "`")],
    keywords: "add all alter analyze and as asc begin between by cascade case check column commit conflict constraint create \
        cross database default delete desc distinct do drop else end except exists explain false fetch first for \
        foreign from full function grant group having if ilike in index inner insert intersect into is join key left \
        like limit lock materialized natural not nothing null nulls of offset on or order outer over partition pragma \
        primary procedure recursive references replace returning revoke right rollback row rows savepoint schema \
        select set table temp temporary then to transaction trigger true truncate union unique update using vacuum \
        values view when where window with without",
    types: "bigint bigserial binary blob boolean bytea char date datetime decimal double float int integer interval json \
        jsonb numeric precision real serial smallint text time timestamp timestamptz uuid varchar",
    capitals: Capitals::Ignored,
    ..BASE
};

/// CSS.
pub(super) static CSS: Language = Language {
    extensions: "css less scss",
    block_comments: &[("/*", "*/")],
    strings: &[quoted("\""), quoted("'")],
    keywords: "auto inherit initial none unset",
    word_characters: "-",
    annotation: Some(b'@'),
    key_separator: Some(b':'),
    ..BASE
};

/// Dockerfile.
static DOCKERFILE: Language = Language {
    names: "containerfile dockerfile",
    extensions: "containerfile dockerfile",
    line_comments: &[comment("#", LineStart)],
    strings: &[quoted("\""), verbatim("'", "'")],
    keywords: "ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER \
        VOLUME WORKDIR",
    word_characters: "-",
    sigil: Some(b'$'),
    ..BASE
};

/// Makefile.
static MAKEFILE: Language = Language {
    names: "gnumakefile makefile",
    extensions: "mak make mk",
    line_comments: &[comment("#", AfterSpace)],
    strings: &[quoted("\""), verbatim("'", "'")],
    keywords: "define else endef endif export ifdef ifeq ifndef ifneq include override private undefine unexport vpath",
    word_characters: "-.",
    sigil: Some(b'$'),
    key_separator: Some(b':'),
    ..BASE
};

/// Terraform.
static HCL: Language = Language {
    extensions: "hcl tf tfvars",
    line_comments: &[comment("//", Anywhere), comment("#", AfterSpace)],
    block_comments: &[("/*", "*/")],
    strings: &[quoted("\"")],
    keywords: "data dynamic else endfor endif false for for_each if import in locals module moved null output provider \
        resource terraform true variable",
    types: "any bool list map number object set string tuple",
    word_characters: "-",
    key_separator: Some(b'='),
    ..BASE
};

/// Swift.
static SWIFT: Language = Language {
    extensions: "swift",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[long("\"\"\"", "\"\"\""), quoted("\"")],
    keywords: "actor as associatedtype async await break case catch class continue default defer deinit do else enum \
        extension fallthrough false fileprivate final for func get guard if import in indirect init inout internal is \
        lazy let mutating nil nonisolated open operator optional override private protocol public repeat required \
        rethrows return self set some static struct subscript super switch throw throws true try typealias unowned var \
        weak where while",
    capitals: Capitals::Types,
    annotation: Some(b'@'),
    ..BASE
};

/// Scala.
static SCALA: Language = Language {
    extensions: "sbt sc scala",
    line_comments: &[comment("//", Anywhere)],
    block_comments: &[("/*", "*/")],
    strings: &[long_verbatim("\"\"\"", "\"\"\""), quoted("\"")],
    keywords: "abstract case catch class def derives do else end enum export extends extension false final finally for given \
        if implicit import inline lazy match new null object opaque open override package private protected return \
        sealed super then this throw trait transparent true try type using val var while with yield",
    capitals: Capitals::Types,
    annotation: Some(b'@'),
    ..BASE
};

/// Lua.
static LUA: Language = Language {
    extensions: "lua",
    programs: "lua luajit",
    line_comments: &[comment("--", Anywhere)],
    block_comments: &[("--[[", "]]")],
    strings: &[quoted("\""), quoted("'"), long_verbatim("[[", "]]")],
    keywords: "and break do else elseif end false for function goto if in local nil not or repeat return self then true until \
        while",
    ..BASE
};

/// Properties and INI files.
static INI: Language = Language {
    names: ".editorconfig .gitconfig .gitmodules .npmrc config",
    extensions: "cfg conf desktop editorconfig ini properties service",
    line_comments: &[comment("#", LineStart), comment(";", LineStart)],
    strings: &[quoted("\"")],
    keywords: "false no off on true yes",
    word_characters: "-.",
    key_separator: Some(b'='),
    has_sections: true,
    ..BASE
};

/// PowerShell.
static POWERSHELL: Language = Language {
    extensions: "ps1 psm1",
    programs: "pwsh",
    line_comments: &[comment("#", AfterSpace)],
    block_comments: &[("<#", "#>")],
    strings: &[long("\"", "\""), long_verbatim("'", "'")],
    keywords: "begin break catch class continue data do dynamicparam else elseif end enum exit filter finally for foreach \
        from function if in param process return switch throw trap try until using while",
    capitals: Capitals::Ignored,
    word_characters: "-",
    sigil: Some(b'$'),
    ..BASE
};

/// HTML, XML and their relatives.
static MARKUP: Language = Language {
    extensions: "htm html plist svg vue xaml xhtml xml xsd xsl csproj props",
    names: "pom.xml",
    grammar: Grammar::Markup,
    ..BASE
};

/// Markdown.
static MARKDOWN: Language = Language { extensions: "markdown md mdx", grammar: Grammar::Markdown, ..BASE };
