// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

/** A log entry is one line of JSON, whatever it holds. */
class JsonLogTest {
  @Test
  void anEntryIsOneLineThatCanBeReadAgain() {
    LogRecord entry = new LogRecord(Level.SEVERE, "line one\nline \"two\" {0}");
    entry.setParameters(new Object[] {"\u0007"});
    entry.setLoggerName("dev.entente.x");
    entry.setThrown(new IllegalStateException("because"));
    String line = new JsonLog().format(entry);
    assertThat(line).endsWith("\n");
    assertThat(line.strip()).doesNotContain("\n");
    JsonObject read = (JsonObject) JsonReader.strict().read(line);
    assertThat(read.get("level")).isEqualTo(Json.of("error"));
    assertThat(read.get("logger")).isEqualTo(Json.of("dev.entente.x"));
    assertThat(read.get("message")).isEqualTo(Json.of("line one\nline \"two\" \u0007"));
    assertThat(read.get("error").toString()).contains("because");
    assertThat(read.get("trace").toString()).contains("JsonLogTest");
  }

  @Test
  void levelsAreCalledAsEverywhere() {
    assertThat(new JsonLog().format(new LogRecord(Level.WARNING, "x"))).contains("\"warning\"");
    assertThat(new JsonLog().format(new LogRecord(Level.INFO, "x"))).contains("\"info\"");
    assertThat(new JsonLog().format(new LogRecord(Level.FINE, "x"))).contains("\"debug\"");
  }
}
