// SPDX-License-Identifier: Apache-2.0
package dev.entente.quality;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/** Whatever is handed out with the program is under a licence that lets it be. */
class LicenceTest {
  private static final Path ROOT = Path.of(System.getProperty("entente.root", ".."));

  /** Licences without conditions on what uses a library. */
  private static final Pattern ALLOWED =
      Pattern.compile(
          "(?i).*(apache|\\bmit\\b|\\bbsd\\b|bsd-|eclipse public|\\bepl\\b|eclipse distribution|\\bedl\\b"
              + "|public domain|\\bcc0\\b|universal permissive|\\bupl\\b|go license).*");

  private static final Pattern REPOSITORY =
      Pattern.compile("(.*?)/((?:[^/]+/)+)([^/]+)/([^/]+)/\\3-\\4[^/]*\\.jar");

  /** Where a library stands in the local repository. */
  private record Library(Path folder, String name, String version) {
    Path pom() {
      return folder.resolve(name + "-" + version + ".pom");
    }
  }

  private static List<Library> handedOut() throws IOException {
    List<String> names;
    try (Stream<Path> files = Files.list(ROOT.resolve("cli/target/runtime/lib"))) {
      names = files.map(file -> String.valueOf(file.getFileName())).toList();
    }
    List<Library> libraries = new ArrayList<>();
    for (String path : System.getProperty("java.class.path", "").split(File.pathSeparator)) {
      Matcher place = REPOSITORY.matcher(path);
      if (place.matches()
          && names.contains(String.valueOf(Path.of(path).getFileName()))
          && !path.contains("/dev/entente/")) {
        libraries.add(new Library(Path.of(path).getParent(), place.group(3), place.group(4)));
      }
    }
    return libraries;
  }

  private static Element parsed(Path pom)
      throws IOException, ParserConfigurationException, SAXException {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
    return factory.newDocumentBuilder().parse(pom.toFile()).getDocumentElement();
  }

  private static Optional<Element> child(Element of, String name) {
    for (Node node = of.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element && element.getTagName().equals(name)) {
        return Optional.of(element);
      }
    }
    return Optional.empty();
  }

  private static String text(Element of, String name) {
    return child(of, name).map(Element::getTextContent).map(String::strip).orElse("");
  }

  /** The licences that a description names, or one that it inherits from. */
  private static List<String> licences(Path repository, Path pom) throws Exception {
    Element project = parsed(pom);
    List<String> names = new ArrayList<>();
    child(project, "licenses")
        .ifPresent(all -> {
          for (Node node = all.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element licence) {
              names.add(text(licence, "name") + " " + text(licence, "url"));
            }
          }
        });
    Optional<Element> parent = child(project, "parent");
    if (!names.isEmpty() || parent.isEmpty()) {
      return names;
    }
    String artifact = text(parent.get(), "artifactId");
    String version = text(parent.get(), "version");
    return licences(
        repository,
        repository
            .resolve(text(parent.get(), "groupId").replace('.', '/'))
            .resolve(artifact)
            .resolve(version)
            .resolve(artifact + "-" + version + ".pom"));
  }

  /** The folder that groups begin in: above it all parents are found. */
  private static Path repository(Library library) throws Exception {
    Element project = parsed(library.pom());
    String group = text(project, "groupId");
    if (group.isEmpty()) {
      group = child(project, "parent").map(parent -> text(parent, "groupId")).orElse("");
    }
    Path folder = library.folder().getParent().getParent();
    for (int i = group.split("\\.").length; i > 0; i--) {
      folder = folder.getParent();
    }
    return folder;
  }

  @Test
  void everythingHandedOutIsUnderALicenceThatAllowsIt() throws Exception {
    List<Library> libraries = handedOut();
    assertThat(libraries).as("what the program runs with").hasSizeGreaterThan(50);
    Map<String, List<String>> refused = new TreeMap<>();
    for (Library library : libraries) {
      List<String> licences = licences(repository(library), library.pom());
      if (licences.stream().noneMatch(name -> ALLOWED.matcher(name).matches())) {
        refused.put(library.name(), licences);
      }
    }
    assertThat(refused).as("libraries under other licences, or under none that is known").isEmpty();
  }
}
