//! The declaration of settings.

/// Declares each setting once: its flag, its variable and its line in the file are derived from the member.
///
/// Members are below the heading of the help that they are shown under. Each has its variable, the name of its value in the help, and
/// further attributes of its flag; those below `file` have no flag.
macro_rules! settings {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($heading:literal {
            $($(#[$member_meta:meta])* $member:ident: $type:ty = $variable:literal, $value:literal $(, $flag:ident = $flag_value:expr)*;)*
        })*
        file { $($(#[$file_meta:meta])* $file_member:ident: $file_type:ty;)* }
    }) => {
        $(#[$meta])*
        pub struct $name {
            $($(
                $(#[$member_meta])*
                #[arg(long, env = $variable, value_name = $value, help_heading = $heading $(, $flag = $flag_value)*)]
                pub $member: Option<$type>,
            )*)*
            $(
                $(#[$file_meta])*
                #[arg(skip)]
                pub $file_member: Option<$file_type>,
            )*
        }

        impl $name {
            /// Adds the settings of other options that are missing here.
            #[must_use]
            pub fn or(mut self, mut other: Self) -> Self {
                // The two exclude each other, so either one, set here, replaces both.
                if self.ephemeral == Some(true) {
                    other.data_dir = None;
                }
                if self.data_dir.is_some() {
                    other.ephemeral = None;
                }
                $($(self.$member = self.$member.or(other.$member);)*)*
                $(self.$file_member = self.$file_member.or(other.$file_member);)*
                self
            }
        }
    };
}

pub(super) use settings;
