// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * What the replay of recorded merges must reach; skipped where the recorded merges are not at hand.
 */
class ReplayTest {
  private static final Path ROOT = Path.of(System.getProperty("entente.root", ".."));
  private static final Path MERGES = ROOT.resolve("../shared/data/json-merges.jsonl.gz");
  @TempDir Path directory;

  private static JsonObject replay(String... arguments) {
    StringWriter out = new StringWriter();
    int code = new CommandLine(new ReplayCommand()).setOut(new PrintWriter(out)).execute(arguments);
    assertThat(code).isZero();
    return (JsonObject) JsonReader.strict().read(out.toString());
  }

  private static long count(JsonObject totals, String name) {
    return ((JsonNumber) totals.get(name)).longValue();
  }

  @Test
  void whatClashesIsLeftToReviewAndTheRestEqualsWhatPeopleDid() {
    assumeTrue(Files.exists(MERGES), "the recorded merges are not at " + MERGES);
    JsonObject totals = replay("--json", MERGES.toString());
    assertThat(count(totals, "cases")).isEqualTo(613);
    assertThat(count(totals, "errors")).isZero();
    assertThat(count(totals, "settled") / 613.0).isGreaterThanOrEqualTo(0.80);
    assertThat((double) count(totals, "settledAndEqual") / count(totals, "settled"))
        .isGreaterThanOrEqualTo(0.90);
  }

  @Test
  void aPolicyThatSendsMoreToReviewIsRightMoreOften() {
    assumeTrue(Files.exists(MERGES), "the recorded merges are not at " + MERGES);
    JsonObject totals =
        replay(
            "--json",
            "--policy",
            ROOT.resolve("policies/review-more.yaml").toString(),
            MERGES.toString());
    assertThat((double) count(totals, "settledAndEqual") / count(totals, "settled"))
        .isGreaterThanOrEqualTo(0.93);
    assertThat(count(totals, "settled") / 613.0).isGreaterThanOrEqualTo(0.69);
  }

  @Test
  void aPolicyThatSettlesEverythingEqualsWhatPeopleDidInFourOfFive() {
    assumeTrue(Files.exists(MERGES), "the recorded merges are not at " + MERGES);
    JsonObject totals =
        replay(
            "--json",
            "--policy",
            ROOT.resolve("policies/settle-everything.yaml").toString(),
            MERGES.toString());
    assertThat(count(totals, "settled")).isEqualTo(613);
    assertThat(count(totals, "equalToHuman") / 613.0).isGreaterThanOrEqualTo(0.80);
  }

  @Test
  void aCaseThatCannotBeReadIsCountedAndNamed() throws Exception {
    Path file = directory.resolve("cases.jsonl");
    Files.write(
        file,
        List.of(
            "{\"id\":\"a\",\"repo\":\"r\",\"base\":\"{\\\"a\\\":1}\",\"left\":\"{\\\"a\\\":2}\",\"right\":\"{\\\"a\\\":1,\\\"b\\\":1}\",\"merged\":\"{\\\"a\\\":2,\\\"b\\\":1}\"}",
            "{\"id\":\"b\",\"base\":\"{\"}"));
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        new CommandLine(new ReplayCommand())
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute("--json", file.toString());
    assertThat(code).isEqualTo(ExitCodes.NEEDS_REVIEW);
    assertThat(err.toString()).contains("line 2");
    assertThat(out.toString())
        .contains("\"cases\":2")
        .contains("\"errors\":1")
        .contains("\"settledAndEqual\":1");
  }
}
