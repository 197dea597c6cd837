mod outages;
mod plans;
mod postgres;
mod races;
mod relays;
mod samples;
mod server;
mod sqlite;
