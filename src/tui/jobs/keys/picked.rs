//! The keys of a list that pass its filter, each by its number in the list by name: all of a range, or those of an order.

use std::ops::Range;

use super::order::Order;
use crate::store::{KeyList, KeyWalk};

/// Which keys, in the order in which they are shown.
#[derive(Clone, Debug)]
pub(super) enum Picked<'a> {
    /// All with these numbers.
    Range(Range<usize>),
    /// Some.
    Order(&'a Order),
}

impl Picked<'_> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Order(order) => order.len(),
        }
    }

    /// The number of one.
    pub(super) fn rank(&self, at: usize) -> Option<usize> {
        match self {
            Self::Range(range) => Some(range.start + at).filter(|rank| *rank < range.end),
            Self::Order(order) => order.rank(at),
        }
    }

    /// Where a number is, or would be, where they are by name.
    pub(super) fn place(&self, rank: usize) -> usize {
        match self {
            Self::Range(range) => rank.clamp(range.start, range.end) - range.start,
            Self::Order(order) => order.place(rank, None).unwrap_or(0),
        }
    }
}

/// Reads keys by number; those that follow each other closely, in one walk.
pub(super) struct KeysByNumber<'a> {
    list: &'a KeyList,
    walk: KeyWalk<'a>,
    /// The number of the key that the walk comes to next.
    next: usize,
}

/// To a number that is further away a new walk is quicker.
const NEAR: usize = 64;

impl<'a> KeysByNumber<'a> {
    pub(super) fn of(list: &'a KeyList) -> Self {
        Self { list, walk: list.walk(0), next: 0 }
    }

    /// The key with this number.
    pub(super) fn get(&mut self, rank: usize) -> Option<&[u8]> {
        if rank + 1 == self.next {
            return self.walk.last();
        }
        if rank < self.next || rank - self.next > NEAR {
            self.walk = self.list.walk(rank);
            self.next = rank;
        }
        while self.next < rank {
            self.walk.next();
            self.next += 1;
        }
        self.next += 1;
        self.walk.next()
    }
}
