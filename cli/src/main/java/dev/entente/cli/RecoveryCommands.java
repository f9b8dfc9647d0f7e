// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Verification;
import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that keep what a node is, and bring back what it was. */
final class RecoveryCommands {
  private static final long LOOK_MILLIS = 200;

  private RecoveryCommands() {}

  /** What begins a job has in common: it shows progress until the job ends. */
  abstract static class Working extends Calling {
    Integer follow(Client client, Json begun, PrintWriter out) {
      String path = client.path("jobs", text(begun, "id"));
      Json job = begun;
      try (ProgressBar bar = Progress.bar(text(begun, "kind"), number(begun, "total"))) {
        while (text(job, "state").equals("running")) {
          try {
            Thread.sleep(LOOK_MILLIS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCodes.FAILED;
          }
          job = client.get(path);
          bar.stepTo(number(job, "seen"));
        }
      }
      if (json) {
        out.println(job);
      } else {
        print(job, out);
      }
      boolean good = text(job, "state").equals("done") && number(job, "failed") == 0;
      return good ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }

    /** Begins to decide what a filter finds as a rule would. */
    static Json decisions(
        Client client, JsonObject filter, String rule, String reason, boolean dryRun) {
      JsonObject body =
          JsonObject.of(
              Map.of(
                  "filter", filter,
                  "rule", Json.of(rule),
                  "reason", Json.of(reason),
                  "background", Json.of(true),
                  "dryRun", Json.of(dryRun)));
      return client.json("POST", client.path("reviews", "decisions"), Optional.of(body.toString()));
    }

    static long number(Json json, String name) {
      return member(json, name) instanceof JsonNumber number ? number.longValue() : -1;
    }

    static void print(Json job, PrintWriter out) {
      boolean dry = member(job, "dryRun").toString().equals("true");
      out.println(
          (dry ? "dry run, " : "")
              + text(job, "state")
              + ": looked at "
              + member(job, "seen")
              + (dry ? ", would change " : ", changed ")
              + member(job, "changed")
              + ", could not change "
              + member(job, "failed")
              + "; job "
              + text(job, "id"));
      list(job, "named")
          .forEach(one -> out.println("  " + text(one, "what") + ": " + text(one, "why")));
      if (!text(job, "problem").isEmpty()) {
        out.println("  " + text(job, "problem"));
      }
    }
  }

  /** {@code entente checkpoint}. */
  @Command(
      name = "checkpoint",
      description =
          "Creates a checkpoint: of the whole node, as files beside its data (serve does so every"
              + " 15 minutes, for 7 days); or of a record, a type or the tenant, which entente"
              + " restore --checkpoint NAME brings back on the running node. With --list, --show or"
              + " --delete, does that with existing ones.")
  static final class Checkpoint extends Calling {
    @Parameters(index = "0", arity = "0..1", paramLabel = "TYPE")
    @Nullable String type;

    @Parameters(index = "1", arity = "0..1", paramLabel = "ID")
    @Nullable String id;

    @Option(names = "--whole-tenant", description = "Of all records of the tenant.")
    boolean wholeTenant;

    @Option(
        names = "--name",
        paramLabel = "NAME",
        description = "What to call the checkpoint; the time where nothing is said.")
    @Nullable String name;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; shown with it.")
    String reason = "";

    @Option(names = "--list", description = "Show the checkpoints that there are.")
    boolean list;

    @Option(names = "--show", paramLabel = "NAME", description = "Show one.")
    @Nullable String show;

    @Option(
        names = "--delete",
        paramLabel = "NAME",
        description = "Delete one; old versions that only it needed go with the next retention.")
    @Nullable String delete;

    @Override
    Integer run(Client client, PrintWriter out) {
      String path = client.path("checkpoints");
      if (list) {
        given().only("--list");
        Json answer = client.get(path);
        if (json) {
          out.println(answer);
        } else {
          list(answer, "checkpoints").forEach(one -> out.println(inWords(one)));
        }
        return ExitCodes.OK;
      }
      if (show != null || delete != null) {
        given().only(show == null ? "--delete" : "--show");
        Json one =
            show != null
                ? client.get(client.path("checkpoints", show))
                : client.json(
                    "DELETE", client.path("checkpoints", String.valueOf(delete)), Optional.empty());
        out.println(json ? one : (show == null ? "deleted: " : "") + inWords(one));
        return ExitCodes.OK;
      }
      boolean ofNode = type == null && !wholeTenant;
      if (ofNode && (name != null || !reason.isEmpty())) {
        throw new IllegalArgumentException(
            "a checkpoint of the whole node is named by its time; for --name and --reason say a"
                + " TYPE, a TYPE and an ID, or --whole-tenant");
      }
      if (wholeTenant && type != null) {
        throw new IllegalArgumentException("say --whole-tenant or a TYPE, not both");
      }
      Json taken =
          ofNode
              ? client.json("POST", "/v1/cluster/checkpoints", Optional.of("{}"))
              : client.json("POST", path, Optional.of(body().toString()));
      out.println(json ? taken : text(taken, "name"));
      return ExitCodes.OK;
    }

    private JsonObject body() {
      Map<String, Json> body = new TreeMap<>();
      if (type != null) {
        body.put("type", Json.of(type));
      }
      if (id != null) {
        body.put("id", Json.of(id));
      }
      if (name != null) {
        body.put("name", Json.of(name));
      }
      body.put("reason", Json.of(reason));
      return JsonObject.of(body);
    }

    private static String inWords(Json one) {
      String type = text(one, "type");
      String id = text(one, "id");
      String by = text(one, "by");
      String reason = text(one, "reason");
      return text(one, "name")
          + "  "
          + text(one, "scope")
          + (type.isEmpty() ? "" : " " + type)
          + (id.isEmpty() ? "" : " " + id)
          + (by.isEmpty() ? "" : "  " + text(one, "at") + " by " + by)
          + (reason.isEmpty() ? "" : ": " + reason);
    }
  }

  /** {@code entente rebuild-record}. */
  @Command(
      name = "rebuild-record",
      description =
          "Rebuilds the state of a record from its versions on the running node, where it is"
              + " damaged or cannot be read. For all records of a stopped node: entente rebuild.")
  static final class RebuildRecord extends Calling {
    @Parameters(index = "0", paramLabel = "TYPE")
    String type = "";

    @Parameters(index = "1", paramLabel = "ID")
    String id = "";

    @Override
    Integer run(Client client, PrintWriter out) {
      String path = client.path("records", type, id, "rebuild");
      Json answer = client.json("POST", path, Optional.of("{}"));
      boolean rebuilt = member(answer, "rebuilt").toString().equals("true");
      out.println(json ? answer : rebuilt ? "rebuilt" : "not damaged");
      return ExitCodes.OK;
    }
  }

  /** {@code entente scrub}. */
  @Command(
      name = "scrub",
      description =
          "Compares all files of the node with their checksums now, and shows what is damaged;"
              + " serve does so once a day (--scrub-every). With --status, shows how far it is and"
              + " what the last one found. Exits with 1 where something is damaged.")
  static final class Scrub extends Calling {
    private static final String PATH = "/v1/cluster/scrub";

    @Option(names = "--status", description = "Begin nothing.")
    boolean status;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer = status ? client.get(PATH) : begun(client);
      if (json) {
        out.println(answer);
      } else {
        out.println(
            (member(answer, "running").toString().equals("true") ? "running, " : "")
                + member(answer, "bytes")
                + " bytes read, last whole pass "
                + (text(answer, "lastPassAt").isEmpty() ? "never" : text(answer, "lastPassAt")));
        list(answer, "damaged")
            .forEach(one ->
                out.println(
                    text(one, "file")
                        + (member(one, "repaired").toString().equals("true")
                            ? " (written again)"
                            : "")));
        list(answer, "checkpointsSetAside").forEach(out::println);
      }
      boolean sound =
          list(answer, "damaged").isEmpty() && list(answer, "checkpointsSetAside").isEmpty();
      return sound ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }

    /** Begins a pass, and waits until it has ended. */
    private static Json begun(Client client) {
      String before = text(client.get(PATH), "lastPassAt");
      Json answer = client.json("POST", PATH, Optional.of("{}"));
      try (ProgressBar bar = Progress.bar("scrub", -1)) {
        while (text(answer, "lastPassAt").equals(before)
            || member(answer, "running").toString().equals("true")) {
          Thread.sleep(LOOK_MILLIS);
          answer = client.get(PATH);
          bar.stepTo(Working.number(answer, "bytes"));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return answer;
    }
  }

  /** {@code entente retention}. */
  @Command(
      name = "retention",
      description =
          "Shows or sets for how many days the tenant's versions are kept, and how many of each"
              + " record; others go once every node has them, but never the last of a record, nor"
              + " those of a record that waits for a decision. With --run, lets go of them now.")
  static final class Retention extends Working {
    @Option(
        names = "--days",
        paramLabel = "DAYS",
        description = "Keep versions for so long; 0 for good.")
    @Nullable Integer days;

    @Option(
        names = "--versions",
        paramLabel = "NUMBER",
        description =
            "Keep at most so many of each record, and those of the last day; 0 for any number.")
    @Nullable Integer versions;

    @Option(names = "--default", description = "Keep them for as long as the node does by default.")
    boolean reset;

    @Option(names = "--run", description = "Let go of what is too old now.")
    boolean run;

    @Option(
        names = "--before",
        paramLabel = "TIME",
        description = "With --run: what was accepted before this moment, whatever the days say.")
    @Nullable String before;

    @Option(names = "--dry-run", description = "Say how much would go; change nothing.")
    boolean dryRun;

    @Override
    Integer run(Client client, PrintWriter out) {
      String path = client.path("retention");
      if (!dryRun) {
        given().requireWith("--before", "--run");
      }
      if (run || dryRun) {
        given().only(run ? "--run" : "--dry-run", "--before", "--dry-run");
        JsonObject body = JsonObject.of("dryRun", Json.of(dryRun));
        body = before == null ? body : body.with("before", Json.of(before));
        Json begun = client.json("POST", path + "/runs", Optional.of(body.toString()));
        return follow(client, begun, out);
      }
      Json said;
      if (reset) {
        given().only("--default");
      }
      if (days != null || versions != null) {
        Map<String, Json> body = new TreeMap<>();
        if (days != null) {
          body.put("days", Json.of(days.longValue()));
        }
        if (versions != null) {
          body.put("versions", Json.of(versions.longValue()));
        }
        said = client.json("PUT", path, Optional.of(JsonObject.of(body).toString()));
      } else {
        said = reset ? client.json("DELETE", path, Optional.empty()) : client.get(path);
      }
      out.println(json ? said : inWords(said));
      return ExitCodes.OK;
    }

    private static String inWords(Json said) {
      long kept = number(said, "days");
      String waiting = member(said, "waitingFor").toString();
      long versions = number(said, "versions");
      return (kept == 0 ? "versions are kept for good" : "versions are kept for " + kept + " days")
          + (versions > 0 ? ", at most " + versions + " of each record" : "")
          + (member(said, "own").toString().equals("true") ? "" : ", as is usual for this node")
          + (waiting.equals("[]") ? "" : "; these nodes have not said what they have: " + waiting);
    }
  }

  /** {@code entente backup}. */
  @Command(
      name = "backup",
      description =
          "Writes all that the node has into a file while it runs, and reads it back to see that it"
              + " is whole; with --check, only the latter.")
  static final class Backup extends Calling {
    @Parameters(paramLabel = "FILE")
    Path file;

    @Option(
        names = "--passphrase-file",
        paramLabel = "FILE",
        description =
            "Holds the passphrase that the backup is sealed under (12 characters or more).")
    @Nullable Path passphrase;

    @Option(names = "--check", description = "See whether a backup is whole and unchanged.")
    boolean check;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      Optional<String> phrase = BackupFile.passphrase(passphrase);
      Bootstrap.Copied copied;
      if (check) {
        given().only("--check", "FILE", "--passphrase-file");
        copied = read(file, phrase);
      } else {
        Path begun = file.resolveSibling(file.getFileName() + ".unfinished");
        Files.deleteIfExists(begun);
        if (Files.exists(file)) {
          throw new IllegalArgumentException(file + " is there already; take another name");
        }
        try (OutputStream to = BackupFile.create(begun, phrase);
            ProgressBar bar = Progress.bar("backing up, MiB", -1)) {
          client.download("/v1/cluster/backup", to, bytes -> bar.stepTo(bytes >> 20));
        }
        copied = read(begun, phrase);
        Folders.publish(begun, file);
      }
      out.printf(
          "%s: whole, of %s up to position %d, %d entries%n",
          file, copied.from(), copied.position(), copied.entries());
      return ExitCodes.OK;
    }

    private static Bootstrap.Copied read(Path file, Optional<String> phrase) throws IOException {
      try (InputStream in = BackupFile.open(file, phrase);
          ProgressBar bar = Progress.bar("checking", -1)) {
        return Bootstrap.check(in, bar::stepTo);
      }
    }
  }

  /** {@code entente restore}. */
  @Command(
      name = "restore",
      description =
          "Brings back what was: --to a moment, a record, a type or the whole tenant as new"
              + " versions, on a running node; or --from a checkpoint or a backup, a node into a"
              + " new directory.")
  static final class Restore extends Working {
    @Parameters(index = "0", arity = "0..1", paramLabel = "TYPE")
    @Nullable String type;

    @Parameters(index = "1", arity = "0..1", paramLabel = "ID")
    @Nullable String id;

    @Option(names = "--to", paramLabel = "TIME", description = "Such as 2026-11-22T10:00:00Z.")
    String to = "";

    @Option(
        names = "--checkpoint",
        paramLabel = "NAME",
        description = "Bring back what a checkpoint of a record, a type or the tenant covers.")
    @Nullable String checkpoint;

    @Option(names = "--dry-run", description = "Only say what would change.")
    boolean dryRun;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept with each version.")
    String reason = "";

    @Option(
        names = "--from",
        paramLabel = "PATH",
        description = "A checkpoint's folder, or a backup's file.")
    @Nullable Path from;

    @Option(
        names = "--into",
        paramLabel = "DIR",
        description = "The new data directory, for serve --data.")
    @Nullable Path into;

    @Option(
        names = "--passphrase-file",
        paramLabel = "FILE",
        description = "Holds the passphrase of a sealed backup.")
    @Nullable Path passphrase;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      Path source = from;
      Path target = into;
      if (source != null && target != null) {
        given().only("--from", "--into", "--passphrase-file");
        return fromDisk(source, target, out);
      }
      if (to.isEmpty() == (checkpoint == null)
          || (checkpoint != null && type != null)
          || source != null
          || target != null) {
        throw new IllegalArgumentException(
            "say --to TIME or --checkpoint NAME (which covers what it was created of), for new"
                + " versions on the running node; or --from PATH --into DIR, for a new directory");
      }
      given().requireWith("--passphrase-file", "--from");
      return id == null ? many(client, out) : one(client, out);
    }

    private Integer one(Client client, PrintWriter out) {
      Map<String, Json> body = new TreeMap<>(Map.of("to", Json.of(to)));
      body.put("reason", Json.of(reason));
      String path = client.path("records", String.valueOf(type), String.valueOf(id));
      if (dryRun) {
        out.println(then(client, path));
        return ExitCodes.OK;
      }
      Json answer =
          client.json("POST", path + "/rollback", Optional.of(JsonObject.of(body).toString()));
      out.println(json ? answer : member(answer, "data"));
      return ExitCodes.OK;
    }

    private String then(Client client, String path) {
      try {
        return client.get(path + "?at=" + Client.escaped(to)).toString();
      } catch (Client.FailedException e) {
        if (String.valueOf(e.getMessage()).startsWith("not-found")) {
          return "there was no such record then; it would be removed";
        }
        throw e;
      }
    }

    private Integer many(Client client, PrintWriter out) {
      Map<String, Json> body = new TreeMap<>();
      if (checkpoint != null) {
        body.put("checkpoint", Json.of(checkpoint));
      } else {
        body.put("to", Json.of(to));
      }
      body.put("dryRun", Json.of(dryRun));
      if (!reason.isEmpty()) {
        body.put("reason", Json.of(reason));
      }
      if (type != null) {
        body.put("type", Json.of(type));
      }
      Json begun =
          client.json("POST", client.path("restores"), Optional.of(JsonObject.of(body).toString()));
      return follow(client, begun, out);
    }

    private Integer fromDisk(Path source, Path target, PrintWriter out) throws IOException {
      Verification found = NodeRestore.into(source, target, BackupFile.passphrase(passphrase));
      out.printf(
          "restored into %s: %d versions and %d audit entries, all intact%n",
          target, found.versions(), found.entries());
      out.println("start it: entente serve --data " + target);
      return ExitCodes.OK;
    }
  }

  /** {@code entente jobs}. */
  @Command(
      name = "jobs",
      description =
          "Lists long work on the tenant; with a job, shows it, stops it, or takes it back.")
  static final class Jobs extends Working {
    @Parameters(arity = "0..1", paramLabel = "JOB")
    String job = "";

    @Option(names = "--stop", description = "Have it stop; what it has done stays done.")
    boolean stop;

    @Option(names = "--undo", description = "Take back what it has decided.")
    boolean undo;

    @Override
    Integer run(Client client, PrintWriter out) {
      given().requireWith("--stop", "JOB");
      given().requireWith("--undo", "JOB");
      if (undo) {
        given().only("--undo", "JOB");
      }
      if (job.isEmpty()) {
        Json answer = client.get(client.path("jobs"));
        if (json) {
          out.println(answer);
        } else {
          list(answer, "jobs")
              .forEach(one ->
                  out.println(
                      text(one, "id")
                          + "  "
                          + text(one, "kind")
                          + (member(one, "dryRun").toString().equals("true") ? " (dry run)" : "")
                          + " of "
                          + text(one, "subject")
                          + " by "
                          + text(one, "by")
                          + ": "
                          + text(one, "state")
                          + ", "
                          + member(one, "changed")
                          + (member(one, "dryRun").toString().equals("true")
                              ? " would change"
                              : " changed")));
        }
        return ExitCodes.OK;
      }
      String path = client.path("jobs", job);
      if (undo) {
        return follow(client, client.json("POST", path + "/undo", Optional.of("{}")), out);
      }
      Json shown = stop ? client.json("DELETE", path, Optional.empty()) : client.get(path);
      if (json) {
        out.println(shown);
      } else {
        print(shown, out);
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente resolve}. */
  @Command(
      name = "resolve",
      description =
          "Decides many pending reviews at once as a rule would settle them, each by itself;"
              + " never-automatic units are left alone. Begin with --dry-run; entente jobs JOB"
              + " --undo takes it back.")
  static final class Resolve extends Working {
    @Option(
        names = "--rule",
        required = true,
        paramLabel = "STRATEGY",
        description =
            "last-writer-wins, first-writer-wins, highest-value, lowest-value, sum-of-changes,"
                + " union, merge or append.")
    String rule;

    @Option(names = "--type", paramLabel = "TYPE", description = "Of which record type.")
    String type = "";

    @Option(names = "--unit", paramLabel = "UNIT", description = "Of which unit, such as /phone.")
    String unit = "";

    @Option(names = "--record", paramLabel = "ID", description = "Of which record.")
    String recordId = "";

    @Option(names = "--conflict", paramLabel = "KIND", description = "Of which kind of conflict.")
    String conflict = "";

    @Option(names = "--dry-run", description = "Only say what would be decided.")
    boolean dryRun;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept with each decision.")
    String reason = "";

    @Override
    Integer run(Client client, PrintWriter out) {
      Map<String, Json> filter = new TreeMap<>();
      Map.of("type", type, "unit", unit, "recordId", recordId, "conflict", conflict)
          .forEach((name, value) -> {
            if (!value.isEmpty()) {
              filter.put(name, Json.of(value));
            }
          });
      if (filter.isEmpty()) {
        throw new IllegalArgumentException("say which: --type, --unit, --record or --conflict");
      }
      String why = reason.isEmpty() ? "resolved by " + rule : reason;
      Json begun = decisions(client, JsonObject.of(filter), rule, why, dryRun);
      return follow(client, begun, out);
    }
  }
}
