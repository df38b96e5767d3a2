mm_test(test_job_reasons mm_jobs)
mm_test(test_job_assign mm_jobs)
