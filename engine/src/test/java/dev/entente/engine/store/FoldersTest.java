// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {
  @TempDir Path directory;

  @Test
  void whatIsMadeIsForItsOwnerAlone() throws Exception {
    assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));

    Path folder = Folders.create(directory.resolve("a/b"));
    Path file = Folders.createFile(folder.resolve("c"));

    assertEquals("rwx------", mode(directory.resolve("a")));
    assertEquals("rwx------", mode(folder));
    assertEquals("rw-------", mode(file));
  }

  @Test
  void aFolderThatIsThereIsLeftAsItIs() throws Exception {
    Path folder = Folders.create(directory.resolve("a"));
    Files.writeString(folder.resolve("b"), "c");

    assertEquals(folder, Folders.create(folder));
    assertEquals("c", Files.readString(folder.resolve("b")));
  }

  @Test
  void whatIsFinishedTakesItsNameAsAWhole() throws Exception {
    Path finished = Folders.create(directory.resolve("begun"));
    Files.writeString(Folders.create(finished.resolve("below")).resolve("file"), "all of it");

    Folders.publish(finished, directory.resolve("done"));

    assertFalse(Files.exists(finished));
    assertEquals("all of it", Files.readString(directory.resolve("done/below/file")));
  }

  @Test
  void aFolderThatHoldsSomethingIsNotReplaced() throws Exception {
    Path finished = Folders.create(directory.resolve("begun"));
    Path there = Folders.create(directory.resolve("there"));
    Files.writeString(there.resolve("file"), "kept");

    assertThrows(IOException.class, () -> Folders.publish(finished, there));

    assertEquals("kept", Files.readString(there.resolve("file")));
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
