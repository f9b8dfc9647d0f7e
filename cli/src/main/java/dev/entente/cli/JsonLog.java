// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/** Log entries as JSON, one a line, for whatever collects them. */
final class JsonLog extends Formatter {
  @Override
  public String format(LogRecord entry) {
    Map<String, Json> members = new TreeMap<>();
    members.put("time", Json.of(entry.getInstant().toString()));
    members.put("level", Json.of(level(entry.getLevel())));
    members.put("logger", Json.of(String.valueOf(entry.getLoggerName())));
    members.put("message", Json.of(formatMessage(entry)));
    members.put("thread", Json.of(entry.getLongThreadID()));
    SpanContext request = Span.current().getSpanContext();
    if (request.isValid()) {
      members.put("traceId", Json.of(request.getTraceId()));
    }
    Throwable thrown = entry.getThrown();
    if (thrown != null) {
      StringWriter trace = new StringWriter();
      thrown.printStackTrace(new PrintWriter(trace));
      members.put("error", Json.of(thrown.toString()));
      members.put("trace", Json.of(trace.toString()));
    }
    return JsonObject.of(members) + "\n";
  }

  private static String level(Level level) {
    int value = level.intValue();
    return value >= Level.SEVERE.intValue()
        ? "error"
        : value >= Level.WARNING.intValue()
            ? "warning"
            : value >= Level.INFO.intValue() ? "info" : "debug";
  }
}
