// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code entente replay}: real concurrent edits through a real node. */
@Command(
    name = "replay",
    description =
        "Replays recorded concurrent edits of JSON documents through a durable node: base, left, right. Prints how many were"
            + " settled, how many wait for people, and how many equal what people made of them.")
final class ReplayCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Parameters(
      paramLabel = "FILE.jsonl[.gz]",
      description = "One case a line: id, base, left, right, merged.")
  Path file;

  @Option(
      names = "--policy",
      paramLabel = "FILE",
      description = "The policy to settle by; by default, what clashes is left to review.")
  @Nullable Path policy;

  @Option(names = "--json", description = "End with one JSON object instead of the table.")
  boolean json;

  @Option(
      names = "--out",
      paramLabel = "FILE.jsonl",
      description = "Write each case's result, one JSON object a line.")
  @Nullable Path out;

  private final Map<String, Tally> byRepo = new TreeMap<>();
  private final Tally all = new Tally();

  /** Counts. */
  private static final class Tally {
    int cases;
    int settled;
    int pending;
    int equal;
    int settledAndEqual;
    int errors;
    int gitClean;
    int gitCleanAndEqual;

    void add(Replay.Result result) {
      cases++;
      settled += result.pending() ? 0 : 1;
      pending += result.pending() ? 1 : 0;
      equal += result.equal() ? 1 : 0;
      settledAndEqual += !result.pending() && result.equal() ? 1 : 0;
      gitClean += result.gitClean() ? 1 : 0;
      gitCleanAndEqual += result.gitClean() && result.gitEqual() ? 1 : 0;
    }
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    PolicyFile.Read read;
    try {
      read = PolicyFile.read(policy);
    } catch (PolicyException e) {
      err.print(PolicyFile.described(policy == null ? Path.of("policy") : policy, e));
      return ExitCodes.BAD_INPUT;
    }
    if (!Files.isReadable(file)) {
      err.println("cannot read " + file);
      return ExitCodes.BAD_INPUT;
    }
    Path data = Files.createTempDirectory("entente-replay");
    try (Node node =
            Node.open(
                RocksStore.open(data.resolve("store")), NodeConfig.DEFAULT.withName("replay"));
        BufferedReader lines = JsonLines.open(file);
        BufferedWriter results = out == null ? null : Files.newBufferedWriter(out)) {
      node.putPolicy("main", read.text(), "replay").join();
      replay(new Replay(node, read.loaded().policy().type()), lines, results, err);
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    } finally {
      Folders.delete(data);
    }
    print(spec.commandLine().getOut());
    return all.errors == 0 ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
  }

  private void replay(
      Replay replay, BufferedReader lines, @Nullable BufferedWriter results, PrintWriter err)
      throws IOException {
    try (ProgressBar progress = Progress.bar("replaying", -1)) {
      int number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        try {
          Replay.Result result = replay.run(line);
          all.add(result);
          byRepo.computeIfAbsent(result.repo(), _ -> new Tally()).add(result);
          if (results != null) {
            results.write(result.toJson().toString());
            results.newLine();
          }
        } catch (IllegalArgumentException e) {
          all.cases++;
          all.errors++;
          err.println("line " + number + ": " + e.getMessage());
        }
        progress.step();
      }
    }
  }

  private void print(PrintWriter out) {
    if (json) {
      Map<String, Json> totals = new TreeMap<>();
      totals.put("cases", Json.of(all.cases));
      totals.put("settled", Json.of(all.settled));
      totals.put("pending", Json.of(all.pending));
      totals.put("equalToHuman", Json.of(all.equal));
      totals.put("settledAndEqual", Json.of(all.settledAndEqual));
      totals.put("errors", Json.of(all.errors));
      totals.put("gitClean", Json.of(all.gitClean));
      totals.put("gitCleanAndEqual", Json.of(all.gitCleanAndEqual));
      out.println(JsonObject.of(totals));
      return;
    }
    out.printf(
        Locale.ROOT,
        "%-32s %6s %16s %9s %24s %24s%n",
        "repository",
        "cases",
        "settled",
        "pending",
        "settled and equal",
        "git clean and equal");
    byRepo.forEach((repo, tally) -> row(out, repo, tally));
    row(out, "all", all);
    out.printf(Locale.ROOT, "%d cases, %d errors.%n", all.cases, all.errors);
  }

  private static void row(PrintWriter out, String name, Tally t) {
    out.printf(
        Locale.ROOT,
        "%-32s %6d %7d (%5.1f%%) %9d %5d (%5.1f%% of settled) %5d (%5.1f%% of clean)%n",
        name,
        t.cases,
        t.settled,
        percent(t.settled, t.cases),
        t.pending,
        t.settledAndEqual,
        percent(t.settledAndEqual, t.settled),
        t.gitCleanAndEqual,
        percent(t.gitCleanAndEqual, t.gitClean));
  }

  private static double percent(int part, int whole) {
    return whole == 0 ? 0 : 100.0 * part / whole;
  }
}
