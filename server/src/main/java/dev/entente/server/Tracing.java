// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells where requests spend their time, as OpenTelemetry spans: one for each request, under that
 * of its client where it sends a {@code traceparent}, and below it what the request waited for.
 * Spans name routes, tenants and types, never records or what they hold. Thread-safe.
 */
final class Tracing implements AutoCloseable {
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");
  private static final AttributeKey<String> TENANT = AttributeKey.stringKey("entente.tenant");
  private static final AttributeKey<String> TYPE = AttributeKey.stringKey("entente.type");
  private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("entente.outcome");
  private static final AttributeKey<String> PEER = AttributeKey.stringKey("server.address");

  /** The tracer of whoever answers the request. */
  private static final ContextKey<Tracer> TRACER = ContextKey.named("entente-tracer");

  private static final RetryPolicy RETRIES =
      RetryPolicy.builder()
          .setMaxAttempts(3)
          .setInitialBackoff(Duration.ofMillis(200))
          .setMaxBackoff(Duration.ofSeconds(1))
          .build();

  private static final TextMapPropagator PROPAGATOR = W3CTraceContextPropagator.getInstance();

  private static final TextMapGetter<Map<String, String>> HEADERS =
      new TextMapGetter<>() {
        @Override
        @SuppressWarnings("deprecation") // Still abstract.
        public Iterable<String> keys(Map<String, String> headers) {
          return headers.keySet();
        }

        @Override
        public @Nullable String get(@Nullable Map<String, String> headers, String name) {
          return headers == null ? null : headers.get(name);
        }
      };

  private final Tracer tracer;
  private final Runnable close;

  private Tracing(Tracer tracer, Runnable close) {
    this.tracer = tracer;
    this.close = close;
  }

  /** Tells nobody. */
  static Tracing none() {
    return new Tracing(OpenTelemetry.noop().getTracer("entente"), () -> {});
  }

  /** Tells a collector. */
  static Tracing of(TraceTarget target, String node, Spans spans) {
    SpanExporter exporter =
        OtlpHttpSpanExporter.builder().setEndpoint(target.url()).setRetryPolicy(RETRIES).build();
    return of(exporter, target.ratio(), node, spans);
  }

  /**
   * Tells an exporter.
   *
   * @param ratio of how many requests, 0 to 1, where the client does not say itself
   */
  static Tracing of(SpanExporter exporter, double ratio, String node, Spans spans) {
    Resource resource =
        Resource.getDefault()
            .merge(
                Resource.create(
                    Attributes.of(
                        AttributeKey.stringKey("service.name"),
                        "entente",
                        AttributeKey.stringKey("service.instance.id"),
                        node)));
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(resource)
            .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(ratio)))
            .addSpanProcessor(BatchSpanProcessor.builder(spans.counting(exporter)).build())
            .build();
    return new Tracing(provider.get("entente"), provider::close);
  }

  /** A request, from when its route is known to when it is answered. */
  Reply request(Route route, Call call, Supplier<Reply> answer) {
    Context parent = PROPAGATOR.extract(Context.root(), call.headers(), HEADERS);
    SpanBuilder builder =
        tracer
            .spanBuilder(route.method() + " " + route.pattern())
            .setParent(parent)
            .setSpanKind(SpanKind.SERVER)
            .setAttribute(METHOD, route.method())
            .setAttribute(ROUTE, route.pattern());
    named(builder, TENANT, call.params().get("tenant"));
    named(builder, TYPE, call.params().get("type"));
    Span span = builder.startSpan();
    try (Scope _ = parent.with(span).with(TRACER, tracer).makeCurrent()) {
      Reply reply = answer.get();
      span.setAttribute(STATUS, (long) reply.status());
      if (reply.status() >= 500) {
        span.setStatus(StatusCode.ERROR);
      }
      return reply;
    } finally {
      span.end();
    }
  }

  private static void named(
      SpanBuilder builder, AttributeKey<String> name, @Nullable String value) {
    if (value != null) {
      builder.setAttribute(name, value);
    }
  }

  /** What a request waits for; it is told only within one. */
  static <T> T step(String name, Supplier<T> work) {
    return step(name, SpanKind.INTERNAL, "", work);
  }

  /** What a request waits for of another node. */
  static <T> T call(String name, String to, Supplier<T> work) {
    return step(name, SpanKind.CLIENT, to, work);
  }

  private static <T> T step(String name, SpanKind kind, String to, Supplier<T> work) {
    Tracer tracer = Context.current().get(TRACER);
    if (tracer == null) {
      return work.get();
    }
    SpanBuilder builder = tracer.spanBuilder(name).setSpanKind(kind);
    Span span = (to.isEmpty() ? builder : builder.setAttribute(PEER, to)).startSpan();
    try (Scope _ = span.makeCurrent()) {
      return work.get();
    } catch (RuntimeException e) {
      span.setStatus(StatusCode.ERROR, e.getClass().getSimpleName());
      throw e;
    } finally {
      span.end();
    }
  }

  /** Says what became of a write, of the request that is being answered. */
  static void outcome(String label) {
    Span.current().setAttribute(OUTCOME, label);
  }

  /** Has the node that a request is sent on to go on with the same trace. */
  static void carry(Map<String, String> headers) {
    PROPAGATOR.inject(
        Context.current(),
        headers,
        (to, name, value) -> {
          if (to != null) {
            to.put(name, value);
          }
        });
  }

  /** Sends what has not been sent yet, and ends. */
  @Override
  public void close() {
    close.run();
  }
}
