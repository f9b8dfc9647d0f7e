// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.Seats;
import dev.entente.core.causality.NodeId;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Reconstruction;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.LogTail;
import dev.entente.engine.store.LostWritesException;
import dev.entente.engine.store.RocksStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code entente rebuild}. */
@Command(
    name = "rebuild",
    description =
        "Compares every record of a stopped node with what the versions in its log say, and works"
            + " out again what is damaged. The log is the truth; what it says is not changed.")
final class RebuildCommand implements Callable<Integer> {
  private static final String RESTORE =
      "Restore it from a checkpoint or a backup (entente restore), or move it away and begin with a"
          + " copy of another node (entente serve --peers).";
  private static final String WHOLE_COMES_AFTER =
      "Whole writes come after that, which were acknowledged, so nothing may be cut off. "
          + RESTORE;
  private static final String NOTHING_COMES_AFTER =
      "Nothing whole comes after that. If the disk failed or was full, it is the write that was"
          + " under way, and nobody was told that it is kept: cut it off. If it was not, the disk"
          + " has damaged what it held. "
          + RESTORE;

  @Spec CommandSpec spec;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "The data directory; nothing may serve it meanwhile.")
  Path data;

  @Option(
      names = "--check",
      description = "Only say what is damaged and how many records are not what they should be.")
  boolean check;

  @Option(
      names = "--cut-log",
      description =
          "Where the log of the store ends in a damaged write, cut that off first, as a disk leaves"
              + " it that failed; kept in DIR/cut.")
  boolean cutLog;

  @Option(
      names = "--accept-loss",
      description =
          "Where acknowledged writes are missing and nothing brings them back, go on with what is"
              + " left.")
  boolean acceptLoss;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Path directory = data.resolve("store");
    if (!Files.isDirectory(directory)) {
      throw new ParameterException(
          spec.commandLine(), data + " is no data directory: it has no store");
    }
    try (RocksStore store = RocksStore.open(directory)) {
      return compare(store, out);
    } catch (DamagedStoreException e) {
      Optional<LogTail> damaged = LogTail.find(directory);
      if (damaged.isEmpty() && e instanceof LostWritesException) {
        out.println(e.getMessage());
        if (check || !acceptLoss) {
          out.println(RESTORE);
          out.println(
              "to go on with what is left: entente rebuild --data " + data + " --accept-loss");
          return ExitCodes.NEEDS_REVIEW;
        }
        RocksStore.acceptLoss(directory);
        renew(directory);
        try (RocksStore store = RocksStore.open(directory)) {
          return compare(store, out);
        }
      }
      if (damaged.isEmpty() || !damaged.get().last()) {
        out.println(damaged.map(RebuildCommand::where).orElse(e.getMessage()));
        out.println(damaged.isPresent() ? WHOLE_COMES_AFTER : RESTORE);
        return ExitCodes.FAILED;
      }
      LogTail tail = damaged.get();
      out.println(where(tail));
      if (check || !cutLog) {
        out.println(NOTHING_COMES_AFTER);
        out.println("to cut it off: entente rebuild --data " + data + " --cut-log");
        return ExitCodes.NEEDS_REVIEW;
      }
      out.println("cut off, and kept in " + tail.cut(data.resolve("cut")));
    }
    renew(directory);
    try (RocksStore store = RocksStore.open(directory)) {
      return compare(store, out);
    }
  }

  /**
   * Where others had more of it than is left here, the node must not give the same numbers again;
   * what it voted on lies elsewhere, and is all there.
   */
  private static void renew(Path directory) {
    RocksStore store = RocksStore.open(directory);
    Optional<NodeId> former = Node.renew(store, NodeConfig.DEFAULT);
    if (former.isEmpty()) {
      store.close();
      return;
    }
    try (Node node = Node.open(store, NodeConfig.DEFAULT)) {
      Seats.keepSeat(node, former.get());
    }
  }

  private static String where(LogTail tail) {
    return "%s is damaged: whole up to byte %,d of %,d"
        .formatted(tail.file(), tail.whole(), tail.size());
  }

  private int compare(RocksStore store, PrintWriter out) {
    Reconstruction.Found found;
    try (ProgressBar bar = Progress.bar("comparing", -1)) {
      found = Reconstruction.check(store, bar::stepTo);
    }
    out.printf(
        "%,d records of %,d versions, %,d not what their versions say%n",
        found.records(), found.versions(), found.wrong());
    if (found.wrong() > 0 && check) {
      out.println("work them out again: entente rebuild --data " + data);
      return ExitCodes.NEEDS_REVIEW;
    }
    if (found.wrong() > 0) {
      try (ProgressBar bar = Progress.bar("rebuilding", -1)) {
        Reconstruction.rebuild(store, bar::stepTo);
      }
      out.println("worked out again");
    }
    if (!check && (found.wrong() > 0 || cutLog || acceptLoss)) {
      out.println("start it: entente serve --data " + data);
    }
    return ExitCodes.OK;
  }
}
