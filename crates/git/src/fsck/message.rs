//! The faults of objects, with Git's names for them.

/// The severity of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The push is refused.
    Error,
    /// The push is accepted, and the client gets a warning.
    Warn,
    /// The fault is not reported.
    Ignore,
}

macro_rules! messages {
    ($($message:ident $id:literal $severity:ident)*) => {
        /// A fault of an object.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Message { $($message,)* }

        /// All faults in the order of the enumeration, with their names and default severities.
        const ALL: &[(Message, &str, Severity)] = &[$((Message::$message, $id, Severity::$severity),)*];
    };
}

messages! {
    NulInHeader "nulInHeader" Error
    UnterminatedHeader "unterminatedHeader" Error
    BadDate "badDate" Error
    BadDateOverflow "badDateOverflow" Error
    BadEmail "badEmail" Error
    BadName "badName" Error
    BadObjectSha1 "badObjectSha1" Error
    BadParentSha1 "badParentSha1" Error
    BadRefFiletype "badRefFiletype" Error
    BadRefName "badRefName" Error
    BadTimezone "badTimezone" Error
    BadTree "badTree" Error
    BadTreeSha1 "badTreeSha1" Error
    BadType "badType" Error
    DuplicateEntries "duplicateEntries" Error
    MissingAuthor "missingAuthor" Error
    MissingCommitter "missingCommitter" Error
    MissingEmail "missingEmail" Error
    MissingNameBeforeEmail "missingNameBeforeEmail" Error
    MissingObject "missingObject" Error
    MissingSpaceBeforeDate "missingSpaceBeforeDate" Error
    MissingSpaceBeforeEmail "missingSpaceBeforeEmail" Error
    MissingTag "missingTag" Error
    MissingTagEntry "missingTagEntry" Error
    MissingTree "missingTree" Error
    MissingType "missingType" Error
    MissingTypeEntry "missingTypeEntry" Error
    MultipleAuthors "multipleAuthors" Error
    TreeNotSorted "treeNotSorted" Error
    UnknownType "unknownType" Error
    ZeroPaddedDate "zeroPaddedDate" Error
    GitmodulesMissing "gitmodulesMissing" Error
    GitmodulesBlob "gitmodulesBlob" Error
    GitmodulesLarge "gitmodulesLarge" Error
    GitmodulesName "gitmodulesName" Error
    GitmodulesSymlink "gitmodulesSymlink" Error
    GitmodulesUrl "gitmodulesUrl" Error
    GitmodulesPath "gitmodulesPath" Error
    GitmodulesUpdate "gitmodulesUpdate" Error
    GitattributesMissing "gitattributesMissing" Error
    GitattributesLarge "gitattributesLarge" Error
    GitattributesLineLength "gitattributesLineLength" Error
    GitattributesBlob "gitattributesBlob" Error
    EmptyName "emptyName" Error
    FullPathname "fullPathname" Error
    HasDot "hasDot" Error
    HasDotdot "hasDotdot" Error
    HasDotgit "hasDotgit" Error
    NullSha1 "nullSha1" Error
    ZeroPaddedFilemode "zeroPaddedFilemode" Error
    NulInCommit "nulInCommit" Error
    LargePathname "largePathname" Error
    BadFilemode "badFilemode" Warn
    GitmodulesParse "gitmodulesParse" Warn
    GitignoreSymlink "gitignoreSymlink" Warn
    GitattributesSymlink "gitattributesSymlink" Warn
    MailmapSymlink "mailmapSymlink" Warn
    BadTagName "badTagName" Warn
    MissingTaggerEntry "missingTaggerEntry" Warn
    ExtraHeaderEntry "extraHeaderEntry" Ignore
}

impl Message {
    pub(super) const COUNT: usize = ALL.len();

    /// Returns Git's severities for received objects.
    pub(super) fn defaults() -> [Severity; Self::COUNT] {
        std::array::from_fn(|rank| ALL[rank].2)
    }

    /// Finds a fault by its case-insensitive name.
    pub(super) fn from_id(id: &str) -> Option<Self> {
        ALL.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(id)).map(|(message, ..)| *message)
    }

    /// Returns the name of the fault.
    pub(super) fn id(self) -> &'static str {
        ALL[self as usize].1
    }

    /// Tells whether the fault must stay an error.
    pub(super) fn is_fatal(self) -> bool {
        matches!(self, Self::NulInHeader | Self::UnterminatedHeader)
    }
}
