//! Examples: each cart `examples/NAME.cart.json` has to become the order `NAME.order.json` beside it, or be refused with the
//! messages of `NAME.refused.json`.

mod difference;
mod judgement;
mod layout;
mod pair;
mod refusal;
mod report;
#[cfg(test)]
mod tests;
mod update;

pub use pair::examples;
pub use report::{ExampleReport, JudgedExample, example_defects};
pub use update::{ExampleFile, ExampleUpdate};
