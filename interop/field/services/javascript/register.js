// Required before the service. The automatic registration knows the names of W3C and B3; Jaeger and X-Ray come from the
// package that its documentation names for them.
if (!/jaeger|xray/.test(process.env.OTEL_PROPAGATORS)) {
  require('@opentelemetry/auto-instrumentations-node/register');
} else {
  const { getPropagator } = require('@opentelemetry/auto-configuration-propagators');
  const { getNodeAutoInstrumentations } = require('@opentelemetry/auto-instrumentations-node');
  const { NodeSDK } = require('@opentelemetry/sdk-node');
  new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()], textMapPropagator: getPropagator() }).start();
}
