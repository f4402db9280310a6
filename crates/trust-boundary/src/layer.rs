//! The policy at the wire, for clients that are built of `tower` services.

use crate::{Boundary, Destination, watch::Watch};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Removes from every request of a client what the policy forbids for the host of its URI: see [`Boundary::strip`].
///
/// It belongs next to the connection, inside everything that adds headers: the last layer of a `ServiceBuilder`.
///
/// ```
/// use otel_trust_boundary::{Boundary, EgressLayer, Outbound};
/// use tower_layer::Layer;
/// # struct Client;
///
/// let boundary = Boundary::deny_external().outbound(Outbound::internal("mesh").hosts(["*.internal"])?);
/// let client = EgressLayer::new(boundary).layer(Client);
/// # Ok::<(), otel_trust_boundary::HostError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EgressLayer {
    policy: Policy,
}

#[derive(Clone, Debug)]
struct Policy {
    boundary: Arc<Boundary>,
    watch: Option<Arc<dyn Watch>>,
    fixed: Option<Destination>,
}

impl EgressLayer {
    /// Holds requests to the policy, by the host of their URI. A request whose URI has no host counts as one to an
    /// unknown destination.
    #[must_use]
    pub fn new(boundary: Boundary) -> Self {
        let watch = boundary.watch();
        Self { policy: Policy { boundary: Arc::new(boundary), watch, fixed: None } }
    }

    /// Holds every request to the rule of one destination, whatever its URI: for a client whose URIs have no host, as
    /// those of `tonic` before its channel.
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Destination, Egress, EgressLayer, Outbound};
    /// use tower_layer::Layer;
    /// # struct Channel;
    ///
    /// let boundary = Boundary::deny_external().outbound(Outbound::external("partner"));
    /// let layer = EgressLayer::new(boundary).to(Destination::named("partner"));
    /// let client: Egress<_> = layer.layer(Channel);
    /// ```
    #[must_use]
    pub fn to(mut self, destination: Destination) -> Self {
        self.policy.fixed = Some(destination);
        self
    }
}

impl<S> Layer<S> for EgressLayer {
    type Service = Egress<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Egress { inner, policy: self.policy.clone() }
    }
}

/// A client whose requests are held to the policy: what [`EgressLayer`] makes.
#[derive(Clone, Debug)]
pub struct Egress<S> {
    inner: S,
    policy: Policy,
}

impl<S, B> Service<http::Request<B>> for Egress<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let Policy { boundary, watch, fixed } = &self.policy;
        let of_uri = fixed.is_none().then(|| Destination::from(request.uri()));
        if let Some(destination) = fixed.as_ref().or(of_uri.as_ref()) {
            boundary.strip_and_tell(request.headers_mut(), destination, watch.as_deref());
        }
        self.inner.call(request)
    }
}
