package floe;

import java.util.Map;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.rest.RESTCatalog;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Empties the catalog at the system property "uri" before each class and each test: some tests leave namespaces behind
 * that others then stumble over. Everything in that catalog is dropped, without purge.
 */
public class EmptyCatalogExtension implements BeforeAllCallback, BeforeEachCallback {
  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    empty();
  }

  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    empty();
  }

  private static void empty() throws Exception {
    try (RESTCatalog catalog = new RESTCatalog()) {
      catalog.initialize("cleaner", Map.of("uri", System.getProperty("uri")));
      catalog.listNamespaces().forEach(namespace -> drop(catalog, namespace));
    }
  }

  private static void drop(RESTCatalog catalog, Namespace namespace) {
    catalog.listNamespaces(namespace).forEach(child -> drop(catalog, child));
    catalog.listTables(namespace).forEach(table -> catalog.dropTable(table, false));
    catalog.listViews(namespace).forEach(catalog::dropView);
    catalog.dropNamespace(namespace);
  }
}
