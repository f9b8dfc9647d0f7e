// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.Folders;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands for requests about somebody's data. */
final class SubjectCommands {
  private SubjectCommands() {}

  /** {@code entente subjects}. */
  @Command(
      name = "subjects",
      description =
          "Lists the records whose id, or a text that they hold, has a text in it: the first step"
              + " of a request about somebody's data.")
  static final class Subjects extends Calling {
    @Parameters(paramLabel = "TEXT", description = "A name, a number, an address.")
    String text;

    @Override
    Integer run(Client client, PrintWriter out) {
      long[] found = {0};
      client.pages(
          client.path("subjects") + "?naming=" + Client.escaped(text),
          page -> {
            if (json) {
              out.println(page);
            }
            for (Json record : list(page, "records")) {
              found[0]++;
              if (!json) {
                out.println(text(record, "type") + " " + text(record, "id"));
              }
            }
            out.flush();
          });
      if (found[0] == 0 && !json) {
        out.println("no record names " + text);
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente export}. */
  @Command(
      name = "export",
      description =
          "Writes all that the node keeps of a record: what it is, every version, its reviews and"
              + " what the audit log says of it; a line of JSON for each.")
  static final class Export extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type;

    @Parameters(index = "1", paramLabel = "ID")
    String id;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FILE",
        description = "Where to; it must not be there yet. Printed where it is left out.")
    @Nullable Path file;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      String path = client.path("records", type, id, "export");
      Path target = file;
      if (target == null) {
        out.flush();
        client.download(path, System.out, _ -> {});
        System.out.flush();
        return ExitCodes.OK;
      }
      if (Files.exists(target)) {
        throw new IllegalArgumentException(target + " is there already; take another name");
      }
      Path begun = target.resolveSibling(target.getFileName() + ".unfinished");
      Files.deleteIfExists(begun);
      try (OutputStream to =
              new BufferedOutputStream(Files.newOutputStream(Folders.createFile(begun)));
          ProgressBar bar = Progress.bar("exporting, KiB", -1)) {
        client.download(path, to, bytes -> bar.stepTo(bytes >> 10));
      }
      Folders.publish(begun, target);
      out.println(target + ": " + Files.size(target) + " bytes");
      return ExitCodes.OK;
    }
  }

  /** {@code entente erase}. */
  @Command(
      name = "erase",
      description =
          "Erases what a record holds and ever held, its reviews, and what the audit log says of"
              + " it, at every node. It cannot be undone. Without a record: lists what was erased,"
              + " and how far that is.")
  static final class Erase extends Calling {
    @Parameters(index = "0", arity = "0..1", paramLabel = "TYPE")
    @Nullable String type;

    @Parameters(index = "1", arity = "0..1", paramLabel = "ID")
    @Nullable String id;

    @Option(
        names = "--reason",
        paramLabel = "TEXT",
        description = "Why; it is kept, so do not name the person.")
    String reason = "";

    @Option(
        names = "--wait",
        paramLabel = "SECONDS",
        description = "For how long to wait until this node has carried it out (default: 30).")
    int seconds = 30;

    @Option(names = "--yes", description = "Do not ask.")
    boolean yes;

    @Option(
        names = "--again",
        paramLabel = "FILE",
        description =
            "Erase again what a list from erase --json names, where this node does not know of it:"
                + " after a restore from an old backup.")
    @Nullable Path again;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      if (again != null) {
        given().only("--again");
        return again(client, JsonReader.strict().read(Files.readString(again)), out);
      }
      for (String option : List.of("TYPE", "--reason", "--wait", "--yes")) {
        given().requireWith(option, "ID");
      }
      if (type == null || id == null) {
        List<Json> all = all(client);
        if (json) {
          out.println(JsonObject.of("erasures", new JsonArray(all)));
        } else if (all.isEmpty()) {
          out.println("nothing was erased");
        } else {
          all.forEach(erasure -> out.println(inWords(erasure)));
        }
        return ExitCodes.OK;
      }
      if (reason.isBlank()) {
        throw new IllegalArgumentException("say --reason TEXT, such as the number of the request");
      }
      if (!yes && !isSure(out)) {
        out.println("nothing was erased");
        return ExitCodes.OK;
      }
      String path = client.path("records", String.valueOf(type), String.valueOf(id), "erasure");
      String body = JsonObject.of("reason", Json.of(reason)).toString();
      Json erasure = client.json("POST", path, Optional.of(body));
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
      while (!text(erasure, "stage").equals("done") && System.nanoTime() < end) {
        pause();
        erasure = client.get(path);
      }
      out.println(json ? erasure : inWords(erasure));
      return text(erasure, "stage").equals("done") ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }

    private static List<Json> all(Client client) {
      List<Json> all = new ArrayList<>();
      client.pages(
          client.path("erasures") + "?limit=1000", page -> all.addAll(list(page, "erasures")));
      return all;
    }

    private Integer again(Client client, Json before, PrintWriter out) {
      Set<String> known = new HashSet<>();
      all(client).forEach(one -> known.add(name(one)));
      int erased = 0;
      int absent = 0;
      for (Json one : list(before, "erasures")) {
        if (known.contains(name(one))) {
          continue;
        }
        String path = client.path("records", text(one, "type"), text(one, "id"), "erasure");
        String why = "again, after a restore: " + text(one, "reason");
        try {
          client.json("POST", path, Optional.of(JsonObject.of("reason", Json.of(why)).toString()));
          out.println(name(one));
          erased++;
        } catch (Client.FailedException e) {
          if (!String.valueOf(e.getMessage()).startsWith("not-found")) {
            throw e;
          }
          absent++;
        }
      }
      out.println(
          erased + " erased again, " + known.size() + " known here, " + absent + " not in here");
      return ExitCodes.OK;
    }

    private static String name(Json erasure) {
      return text(erasure, "type") + "/" + text(erasure, "id");
    }

    private boolean isSure(PrintWriter out) throws IOException {
      out.print("Erase all that " + type + "/" + id + " ever held, at every node? [y/N] ");
      out.flush();
      int answer = System.in.read();
      return answer == 'y' || answer == 'Y';
    }

    private static void pause() {
      try {
        Thread.sleep(300);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new Client.FailedException("interrupted; the erasure goes on by itself");
      }
    }

    private static String inWords(Json erasure) {
      String how =
          switch (text(erasure, "stage")) {
            case "done" -> "carried out at this node";
            case "waiting" ->
                "read by nobody any more; carried out once these nodes have heard of it: "
                    + member(erasure, "waitingFor");
            case "unproven" ->
                "read by nobody any more, and kept: no administrator signed it whom this node"
                    + " trusts; erase it again to have it carried out";
            case "overtaken" ->
                "somebody wrote without knowing of it; the node that erased does so once more";
            default -> "about to be carried out at this node";
          };
      return text(erasure, "type")
          + "/"
          + text(erasure, "id")
          + ", erased "
          + text(erasure, "at")
          + named(" by ", erasure, "by")
          + ": "
          + how;
    }
  }
}
