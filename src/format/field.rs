//! The rows of which a layout's table is made.
//!
//! Widths are written down in those tables and nowhere else: the offsets that encoders and decoders use are computed
//! from them while compiling. Must not know: any one layout.

/// One field of a layout: the row that anatomy, colours, tooltips and documentation are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is called, everywhere.
    pub name: &'static str,
    /// How wide it is.
    pub width: Width,
    /// How its bytes are read.
    pub encoding: Encoding,
    /// What it stands for; colours go by this.
    pub role: Role,
    /// A sentence for a person who sees it for the first time.
    pub meaning: &'static str,
}

impl Field {
    pub(super) const fn le(name: &'static str, width: usize, role: Role, meaning: &'static str) -> Self {
        Self { name, width: Width::Fixed(width), encoding: Encoding::LittleEndian, role, meaning }
    }

    pub(super) const fn be(name: &'static str, width: usize, role: Role, meaning: &'static str) -> Self {
        Self { name, width: Width::Fixed(width), encoding: Encoding::BigEndian, role, meaning }
    }

    pub(super) const fn bytes(name: &'static str, width: Width, role: Role, meaning: &'static str) -> Self {
        Self { name, width, encoding: Encoding::Bytes, role, meaning }
    }
}

/// A checksum of a layout: the field that holds it, and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The field that holds it.
    pub field: &'static str,
    /// The first field that it covers.
    pub from: &'static str,
    /// The last field that it covers; the fields between are covered too.
    pub to: &'static str,
    /// Whether the file's salt (u32) and the record's offset (u64), little-endian, go before the fields.
    pub salted: bool,
}

/// The width of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Always this many bytes.
    Fixed(usize),
    /// This many bytes when the record has an expiry, else none.
    WithExpiry(usize),
    /// As long as the key.
    Key,
    /// As long as the stored value.
    Value,
}

impl Width {
    /// Bytes that the field takes in a record with or without an expiry and with a key and a stored value this long.
    pub fn len(self, with_expiry: bool, key_len: u64, stored_len: u64) -> u64 {
        match self {
            Self::Fixed(width) => width as u64,
            Self::WithExpiry(width) => {
                if with_expiry {
                    width as u64
                } else {
                    0
                }
            }
            Self::Key => key_len,
            Self::Value => stored_len,
        }
    }
}

/// How the bytes of a field are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Unsigned, lowest byte first.
    LittleEndian,
    /// Unsigned, highest byte first.
    BigEndian,
    /// As they are.
    Bytes,
}

impl Encoding {
    /// The number in these bytes; `None` where they are no number, or one of more than 64 bits.
    pub fn number(self, bytes: &[u8]) -> Option<u64> {
        let digit = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        match self {
            _ if bytes.len() > 8 => None,
            Self::LittleEndian => Some(bytes.iter().rev().fold(0, digit)),
            Self::BigEndian => Some(bytes.iter().fold(0, digit)),
            Self::Bytes => None,
        }
    }
}

/// What a field stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A checksum.
    Checksum,
    /// A kind, flag or version.
    Kind,
    /// A length.
    Length,
    /// A time.
    Time,
    /// A place in a file, or a file's identity.
    Place,
    /// The key.
    Key,
    /// The value.
    Value,
}

/// Where field `index` starts in a layout whose earlier fields are all of fixed width.
pub(super) const fn start_of(fields: &[Field], index: usize) -> usize {
    let mut at = 0;
    let mut i = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a bad index does not build")]
    while i < index {
        if let Width::Fixed(width) = fields[i].width {
            at += width;
        }
        i += 1;
    }
    at
}

/// Bytes taken by all fields of fixed width.
pub(super) const fn fixed_len(fields: &[Field]) -> usize {
    start_of(fields, fields.len())
}
