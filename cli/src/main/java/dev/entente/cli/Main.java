// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.engine.store.StoreException;
import dev.entente.engine.store.StoreInUseException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code entente} command. */
@Command(
    name = "entente",
    mixinStandardHelpOptions = true,
    version = "entente 0.1",
    description =
        "Keeps every write, settles every conflict by a rule someone chose, and can explain and"
            + " undo each decision.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit codes: 0 done; 1 done, but something is left for a person; 2 bad input; 3 the node"
          + " refused or cannot be reached.",
      "Client commands read ENTENTE_URL (http://127.0.0.1:7400), ENTENTE_TOKEN and ENTENTE_TENANT"
          + " (main)."
    },
    subcommands = {
      DemoCommand.class,
      ServeCommand.class,
      MergeCommand.class,
      ReplayCommand.class,
      PolicyCommand.class,
      RecordCommands.Get.class,
      RecordCommands.Put.class,
      RecordCommands.History.class,
      RecordCommands.At.class,
      RecordCommands.Conflicts.class,
      ReviewCommands.Reviews.class,
      ReviewCommands.Decide.class,
      ReviewCommands.Assign.class,
      ReviewCommands.Note.class,
      ReviewCommands.Reopen.class,
      VoteCommand.class,
      RecordCommands.Rollback.class,
      OperatorCommands.Freeze.class,
      OperatorCommands.Thaw.class,
      RecoveryCommands.Retention.class,
      SubjectCommands.Subjects.class,
      SubjectCommands.Export.class,
      SubjectCommands.Erase.class,
      OperatorCommands.Hotspots.class,
      OperatorCommands.Verify.class,
      OperatorCommands.Doctor.class,
      ClusterCommand.class,
      AccountCommand.class,
      IncidentCommand.class,
      AuditCommand.class,
      AppealCommands.FateOf.class,
      AppealCommands.Appeal.class,
      RecoveryCommands.Checkpoint.class,
      RecoveryCommands.RebuildRecord.class,
      RecoveryCommands.Backup.class,
      RecoveryCommands.Restore.class,
      RecoveryCommands.Scrub.class,
      RebuildCommand.class,
      RecoveryCommands.Jobs.class,
      RecoveryCommands.Resolve.class,
      AlertCommands.Alerts.class,
      AlertCommands.Webhook.class,
      SimulateCommand.class,
      BenchCommand.class,
      WarmUpCommand.class,
      CommandLine.HelpCommand.class
    })
public final class Main implements Runnable {
  private static final List<Logger> QUIET = new ArrayList<>();

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    quietLibraries();
    CommandLine command =
        commands()
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setDefaultValueProvider(new Settings(List.of(args), System.getenv()))
            .setExecutionExceptionHandler(Main::explained);
    // One writer for all commands, so that an exit loses nothing of what they print.
    PrintWriter out = command.getOut();
    PrintWriter err = command.getErr();
    int code = command.execute(args);
    out.flush();
    err.flush();
    System.exit(code);
  }

  /** All commands. */
  static CommandLine commands() {
    return helpful(new CommandLine(new Main())).setExecutionStrategy(Main::executed);
  }

  /** Runs a command, unless something that it was given is empty. */
  private static int executed(CommandLine.ParseResult parsed) {
    CommandLine.ParseResult last = parsed;
    while (last.hasSubcommand()) {
      last = last.subcommand();
    }
    try {
      new GivenOptions(last).requireNoneEmpty();
    } catch (IllegalArgumentException e) {
      last.commandSpec().commandLine().getErr().println(e.getMessage());
      return ExitCodes.BAD_INPUT;
    }
    return new CommandLine.RunLast().execute(parsed);
  }

  /** Gives every command, however deep, the option {@code --help}. */
  private static CommandLine helpful(CommandLine command) {
    CommandLine.Model.CommandSpec spec = command.getCommandSpec();
    if (spec.findOption("--help") == null) {
      spec.addOption(
          CommandLine.Model.OptionSpec.builder("--help")
              .usageHelp(true)
              .description("Shows this help.")
              .build());
    }
    command.getSubcommands().values().forEach(Main::helpful);
    return command;
  }

  /** What the surroundings refuse (a port, a folder, a store) is said in one line. */
  static int explained(Exception e, CommandLine command, CommandLine.ParseResult unused)
      throws Exception {
    switch (e) {
      case NoSuchFileException missing ->
          command.getErr().println("entente: there is no file " + missing.getFile());
      case AccessDeniedException denied ->
          command.getErr().println("entente: " + denied.getFile() + " may not be read or written");
      case IllegalArgumentException wrong ->
          command.getErr().println("entente: " + wrong.getMessage());
      case StoreInUseException used -> command.getErr().println("entente: " + used.getMessage());
      case IOException failed -> {
        command.getErr().println("entente: " + failed.getMessage());
        return ExitCodes.FAILED;
      }
      case StoreException failed -> {
        command.getErr().println("entente: " + failed.getMessage());
        return ExitCodes.FAILED;
      }
      default -> throw e;
    }
    return ExitCodes.BAD_INPUT;
  }

  /** What libraries say of themselves while they start is no use to anybody here. */
  private static void quietLibraries() {
    for (String name : List.of("io.helidon", "org.rocksdb", "io.helidon.webserver.LoomServer")) {
      Logger logger = Logger.getLogger(name);
      // That a port is taken is said by whoever wanted it.
      logger.setLevel(name.endsWith("LoomServer") ? Level.OFF : Level.WARNING);
      QUIET.add(logger);
    }
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
