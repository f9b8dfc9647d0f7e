// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.concurrent.atomic.LongAdder;

/** Counts the spans that a collector has not taken, and those that it has. Thread-safe. */
final class Spans {
  private final LongAdder sent = new LongAdder();
  private final LongAdder lost = new LongAdder();

  long sent() {
    return sent.sum();
  }

  long lost() {
    return lost.sum();
  }

  /** An exporter that this counts for. */
  SpanExporter counting(SpanExporter exporter) {
    return new SpanExporter() {
      @Override
      public CompletableResultCode export(Collection<SpanData> spans) {
        CompletableResultCode result = exporter.export(spans);
        result.whenComplete(() -> (result.isSuccess() ? sent : lost).add(spans.size()));
        return result;
      }

      @Override
      public CompletableResultCode flush() {
        return exporter.flush();
      }

      @Override
      public CompletableResultCode shutdown() {
        return exporter.shutdown();
      }
    };
  }
}
