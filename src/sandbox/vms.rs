//! An 11VMS that creates an order for every POST, equal ones included: preventing duplicates is the caller's task. Faults
//! are queued, one for each request to come. `salesforce` is one that upserts records instead.

mod endpoints;
mod fault;
mod handle;
mod salesforce;
mod state;

pub use fault::{Effect, Fault};
pub use handle::SandboxVms;
pub use state::{CreatedOrder, ReceivedRequest};
