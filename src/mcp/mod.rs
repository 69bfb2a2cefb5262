//! Tools for other agents, by the Model Context Protocol: over standard input and output, and over HTTP.
//!
//! A tool takes what a person would ask and answers with the document that the command line prints, character for character, as
//! text and as structured content. Whoever may ask what, where, and how often is decided by the [`Investigator`] behind it.
//!
//! | part | what it is |
//! |---|---|
//! | `question` | what is asked of an [`Investigator`], and what comes back |
//! | `arguments` | a tool's arguments, read so that a refusal says what to do |
//! | `tools` | the tools: names, descriptions, schemas |
//! | `progress` | the steps, told to the client while they run |
//! | `server` | calls in, answers out |
//! | `sessions` | as many sessions as fit |
//! | `http` | who may come in over HTTP |

mod agents;
mod arguments;
mod http;
mod progress;
mod question;
mod server;
mod sessions;
mod tools;

pub use agents::AgentTokens;
pub use http::{AgentDoor, PATH, router};
pub use question::{AgentQuestion, Investigated, Investigator, ToolRefusal};
pub use server::AgentServer;
pub use tools::AgentTool;
