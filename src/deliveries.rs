//! Deliveries: what others should hear is brought to them from the ledger's outbox, at least once, each channel by itself.
//!
//! Owns the loop of each channel with its retries and its breaker, the channels' own protocols, and the incidents of what is
//! failing. Nothing here holds an order up. Knows nothing of HTTP servers, of SQL, or of how something is noticed.

mod alert;
mod alerts;
mod changes;
mod channel_loop;
mod directory;
mod http;
mod incidents;
mod ledger_link;
mod memory_outbox;
mod outlet;
mod tidying;

pub use alert::{Alert, Context, Severity};
pub use changes::{WatchedValue, watch_changes};
pub use channel_loop::ChannelLoop;
pub use directory::{channels, outlets, test_alert};
pub use incidents::IncidentWatch;
pub use ledger_link::Outboxes;
pub use outlet::{Delivery, DeliveryObserver, DeliveryResult, Outlet};
pub use tidying::tidy;
