//! What the guard has to say about a text.

/// What a text that passed is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// No unit is above 0x7F.
    pub ascii: bool,
    /// What to cut out, in units from the text's start, in order and apart from each other: the members under
    /// [`Policy::Remove`](crate::Policy::Remove), each with the comma that goes with it.
    pub cuts: Vec<(usize, usize)>,
}

/// Why a text did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// It is not JSON.
    Syntax,
    /// The bytes are not UTF-8.
    Encoding,
    /// It nests deeper than [`Limits::depth`](crate::Limits::depth).
    Depth,
    /// A key `__proto__`.
    ProtoKey,
    /// A key `constructor` whose value is an object with a key `prototype`.
    ConstructorKey,
    /// A key that the options name.
    ForbiddenKey,
    /// A key that starts with `$`.
    OperatorKey,
    /// A key that its object has already.
    DuplicateKey,
    /// A number that a double cannot hold.
    Number,
    /// More keys than [`Limits::keys`](crate::Limits::keys).
    Keys,
    /// A key longer than [`Limits::key_length`](crate::Limits::key_length).
    KeyLength,
    /// A string longer than [`Limits::string_length`](crate::Limits::string_length).
    StringLength,
    /// An array longer than [`Limits::array_length`](crate::Limits::array_length).
    ArrayLength,
}

impl FindingKind {
    /// Nothing is looked at behind it: the text is no JSON from there on, or too large to go on with.
    pub fn ends_scan(self) -> bool {
        use FindingKind::{ArrayLength, Depth, Encoding, KeyLength, Keys, StringLength, Syntax};
        matches!(self, Syntax | Encoding | Depth | Keys | KeyLength | StringLength | ArrayLength)
    }
}

/// What did not pass, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// In units from the text's start, a byte order mark included.
    pub offset: usize,
    /// The way from the root to the value, or to the key, that was found.
    pub path: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an array.
    Index(usize),
    /// Into an object: the units `start..end` are the key's JSON string, quotes included.
    Key {
        /// Of the opening quote.
        start: usize,
        /// After the closing quote.
        end: usize,
    },
}
