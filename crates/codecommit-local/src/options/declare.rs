//! The declaration of settings.

/// Declares each setting once: its flag, its variable and its line in the file are derived from the member.
macro_rules! settings {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$member_meta:meta])* pub $member:ident: Option<$type:ty>,)* }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$member_meta])* pub $member: Option<$type>,)*
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
                $(self.$member = self.$member.or(other.$member);)*
                self
            }
        }
    };
}

pub(super) use settings;
