//! Enums whose values are words in a scenario, each with its name and one sentence.

/// An enum that a scenario writes as one word.
pub(super) trait Word: Sized {
    /// The value of that name.
    fn named(name: &str) -> Option<Self>;
}

macro_rules! words {
    ($($(#[doc = $about:literal])* $name:ident {
        $($(#[doc = $word_about:literal])* $variant:ident = $word:literal,)*
    })*) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $word_about])* $variant,)* }

        impl $name {
            /// Every word with its one sentence, in the order in which listings show them.
            pub const WORDS: &'static [(&'static str, &'static str)] =
                &[$(($word, concat!($($word_about),*).trim_ascii()),)*];

            /// The word in a scenario.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
        }

        impl $crate::scenario::words::Word for $name {
            fn named(name: &str) -> Option<Self> {
                match name { $($word => Some($name::$variant),)* _ => None }
            }
        }
    )*};
}

pub(super) use words;

impl Word for stormfs::points::Point {
    fn named(name: &str) -> Option<Self> {
        stormfs::points::Point::named(name)
    }
}
