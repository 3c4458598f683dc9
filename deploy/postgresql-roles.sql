-- Two roles for the portal on PostgreSQL: the owner migrates, the portal's own role serves.
-- The portal's role can add to the audit trail, and neither change nor remove anything in it.
--
--   psql -v owner=clearance_owner -v portal=clearance -d clearance -f deploy/postgresql-roles.sql
--
-- Run it as a superuser once both roles exist and after the first `flask db upgrade`, which the
-- owner's DATABASE_URL makes; web and jobs get the URL of the portal's role. It may run again.
SET client_min_messages = warning;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"portal";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"portal";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"portal";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"portal";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO :"portal";

-- The trail is added to; its head is moved by a trigger that acts for the owner.
REVOKE UPDATE, DELETE, TRUNCATE ON event, event_seal FROM :"portal";
-- A trigger lets it delete access events that are older than a year, and no others.
REVOKE UPDATE, TRUNCATE ON access_event FROM :"portal";
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON chain_head, alembic_version FROM :"portal";

-- The queue of the background work, which holds nothing that matters.
CREATE SCHEMA IF NOT EXISTS clearance_jobs AUTHORIZATION :"portal";

-- Only its owner may refresh a table's statistics; the nightly job does it through this.
CREATE OR REPLACE FUNCTION clearance_analyze() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
  DECLARE owned regclass;
  BEGIN
    FOR owned IN SELECT oid FROM pg_class WHERE relkind = 'r'
      AND relnamespace = 'public'::regnamespace AND relowner = current_user::regrole
    LOOP EXECUTE 'ANALYZE ' || owned; END LOOP;
  END $$;
ALTER FUNCTION clearance_analyze() OWNER TO :"owner";
REVOKE ALL ON FUNCTION clearance_analyze() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clearance_analyze() TO :"portal";
