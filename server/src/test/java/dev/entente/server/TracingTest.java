// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Where requests spend their time is told, but never what they are about. */
class TracingTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final Route ROUTE =
      new Route(
          "PUT",
          "/v1/{tenant}/records/{type}/{id}",
          new Route.Access.Anyone(),
          _ -> Reply.text(200, "text/plain", ""));

  private static Call call(Map<String, String> headers) {
    return new Call(
        "PUT",
        Map.of("tenant", "main", "type", "patient", "id", "Ada Lovelace"),
        Map.of(),
        headers,
        new byte[0],
        Call.Peer.UNKNOWN);
  }

  private static List<SpanData> told(double ratio, Map<String, String> headers, int status) {
    List<SpanData> told = new CopyOnWriteArrayList<>();
    Spans spans = new Spans();
    Tracing tracing = Tracing.of(keeping(told), ratio, "n.1", spans);
    tracing.request(
        ROUTE, call(headers), () -> Tracing.step("accept", () -> Reply.text(status, "a/b", "")));
    tracing.close();
    assertThat(spans.sent()).isEqualTo(told.size());
    return told;
  }

  private static SpanExporter keeping(List<SpanData> told) {
    return new SpanExporter() {
      @Override
      public CompletableResultCode export(Collection<SpanData> spans) {
        told.addAll(spans);
        return CompletableResultCode.ofSuccess();
      }

      @Override
      public CompletableResultCode flush() {
        return CompletableResultCode.ofSuccess();
      }

      @Override
      public CompletableResultCode shutdown() {
        return CompletableResultCode.ofSuccess();
      }
    };
  }

  @Test
  void aRequestIsASpanAndWhatItWaitsForOneBelow() {
    List<SpanData> told =
        told(1, Map.of("traceparent", "00-" + TRACE + "-b7ad6b7169203331-01"), 503);
    assertThat(told).hasSize(2);
    SpanData step = told.get(0);
    SpanData request = told.get(1);
    assertThat(request.getName()).isEqualTo("PUT /v1/{tenant}/records/{type}/{id}");
    assertThat(request.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(request.getTraceId()).as("goes on with the client's").isEqualTo(TRACE);
    assertThat(request.getParentSpanId()).isEqualTo("b7ad6b7169203331");
    assertThat(step.getParentSpanId()).isEqualTo(request.getSpanId());
    assertThat(request.getStatus().getStatusCode().name()).isEqualTo("ERROR");
    assertThat(request.getResource().getAttributes().toString()).contains("entente", "n.1");
    assertThat(told.toString()).contains("patient").doesNotContain("Ada");
  }

  @Test
  void theClientSaysWhetherOrElseChance() {
    assertThat(told(0, Map.of(), 200)).isEmpty();
    assertThat(told(1, Map.of(), 200)).hasSize(2);
    assertThat(told(0, Map.of("traceparent", "00-" + TRACE + "-b7ad6b7169203331-01"), 200))
        .hasSize(2);
    assertThat(told(1, Map.of("traceparent", "00-" + TRACE + "-b7ad6b7169203331-00"), 200))
        .isEmpty();
    assertThat(told(1, Map.of("traceparent", "rubbish\u0007"), 200)).hasSize(2);
  }

  @Test
  void aServedNodeTellsACollector() throws IOException, InterruptedException {
    List<String> bodies = new CopyOnWriteArrayList<>();
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          bodies.add(
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    TraceTarget target =
        new TraceTarget("http://127.0.0.1:" + collector.getAddress().getPort() + "/v1/traces", 1);
    try (Served served = new Served(config -> config.traced(Optional.of(target)))) {
      served.json("PUT", "/v1/main/records/note/n", "{\"secret\":\"Quillon\"}");
      served.get("/v1/main/records/note/n");
      Served.eventually(() -> String.join("", bodies).contains("GET /v1/{tenant}/records"));
      assertThat(served.get("/metrics").body()).contains("entente_spans_total{state=\"sent\"}");
    }
    assertThat(String.join("", bodies))
        .contains("PUT /v1/{tenant}/records/{type}/{id}", "accept", "entente.outcome", "applied")
        .doesNotContain("Quillon", Served.TOKEN);
    collector.stop(0);
  }

  @Test
  void spansThatNobodyTakesAreCounted() {
    TraceTarget nobody = new TraceTarget("http://127.0.0.1:1/v1/traces", 1);
    Spans spans = new Spans();
    Tracing tracing = Tracing.of(nobody, "n.1", spans);
    tracing.request(ROUTE, call(Map.of()), () -> Reply.text(200, "a/b", ""));
    tracing.close();
    assertThat(spans.sent()).isZero();
    assertThat(spans.lost()).isOne();
  }

  @Test
  void aTargetIsAnAddressAndARatio() {
    assertThatThrownBy(() -> new TraceTarget("localhost:4318", 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TraceTarget("http://localhost/v1/traces", 1.1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
